"""Opens the files of a dump: checks that they are whole, and tells how much of them is read."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import SourceFileEmpty, SourceFileMissing, SourceFileTruncated, SourceFormatWrong
from catalog.sources.row_log import Progress

_PROGRESS_EVERY_ROWS = 5_000
_SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}


@dataclass(frozen=True)
class CsvFormat:
    """How a source writes its tables."""

    separator: str = ","
    encoding: str = "utf-8-sig"
    """UTF-8, with or without the mark that some programs put before it."""
    escape: str | None = None
    """What stands before a quote within a field; without it, such a quote is doubled."""
    last_line_ends: bool = False
    """Whether a file whose last line has no end was cut off."""

    def join(self, fields: Sequence[str]) -> str:
        """A row as it stands in a file, for messages."""
        text = self.separator.join(fields)
        return f"{text!r}" if len(text) <= 120 else f"{text[:120]!r}…"


def read_csv(path: Path, layout: CsvFormat, progress: Progress) -> Iterator[list[str]]:
    """The header, then the rows, each with as many fields as it happens to have.

    Raises SourceFileEmpty without a row, SourceFormatWrong, or SourceFileTruncated.
    """
    size = path.stat().st_size
    if not size:
        raise SourceFileEmpty(path)
    if layout.last_line_ends:
        check_has_end(path)
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=layout.encoding, newline="") as text:
        rows = csv.reader(text, delimiter=layout.separator, escapechar=layout.escape, strict=True)
        n_rows = 0
        try:
            header = text.readline()
            yield from csv.reader([header], delimiter=layout.separator, escapechar=layout.escape)
            for n_rows, row in enumerate(rows, start=1):
                if n_rows % _PROGRESS_EVERY_ROWS == 0:
                    progress(path.name, raw.tell(), size)
                yield row
        except csv.Error as error:
            raise _explain(error, path, layout, line=rows.line_num + 1) from error
        except UnicodeDecodeError as error:
            raise _explain_encoding(path, layout) from error
    if not n_rows:
        raise SourceFileEmpty(path)
    progress(path.name, size, size)


def read_gzip_lines(path: Path, progress: Progress, *, stage: str) -> Iterator[bytes]:
    """Lines of a compressed file. Raises SourceFormatWrong, SourceFileEmpty or SourceFileTruncated."""
    size = path.stat().st_size
    line, n_lines = b"", 0
    with path.open("rb") as raw, gzip.open(raw) as lines:
        try:
            for n_lines, line in enumerate(lines, start=1):
                if n_lines % _PROGRESS_EVERY_ROWS == 0:
                    progress(stage, raw.tell(), size)
                yield line
        except EOFError as error:
            raise SourceFileTruncated(path, after=f"{n_lines:,} lines") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise SourceFormatWrong(path, expected="gzip", found=str(error)) from error
    if not n_lines:
        raise SourceFileEmpty(path)
    if not line.endswith(b"\n"):
        raise SourceFileTruncated(path, after=f"{n_lines - 1:,} lines")
    progress(stage, size, size)


def check_has_end(path: Path) -> None:
    """Raise SourceFileTruncated if the last line of a text file has no end."""
    with path.open("rb") as file:
        size = file.seek(-1, io.SEEK_END) + 1
        if file.read() != b"\n":
            raise SourceFileTruncated(path, after=f"{size:,} bytes")


def find_file(folder: Path, name: str, *, expected: str) -> Path:
    """The file of this name, or the last of this pattern. Raises SourceFileMissing."""
    found = sorted(folder.glob(name))
    if not found:
        raise SourceFileMissing(folder / name, expected=expected)
    return found[-1]


def _explain(
    error: csv.Error, path: Path, layout: CsvFormat, *, line: int
) -> SourceFormatWrong | SourceFileTruncated:
    if "unexpected end of data" in str(error):
        return SourceFileTruncated(path, after=f"line {line:,}, where a quote is still open")
    name = _SEPARATOR_NAMES.get(layout.separator, repr(layout.separator))
    return SourceFormatWrong(path, expected=f"{name}-separated text", found=f"{error} at line {line:,}")


def _explain_encoding(path: Path, layout: CsvFormat) -> SourceFormatWrong:
    encoding = layout.encoding.removesuffix("-sig")
    with path.open("rb") as lines:
        # The text comes decoded by the block, so which line it was must be looked up.
        line = next((n for n, line in enumerate(lines, start=1) if not _is_text(line, encoding)), 0)
    return SourceFormatWrong(
        path,
        expected=f"text in {encoding}",
        found=f"other bytes at line {line:,}",
        remedy="name its encoding",
    )


def _is_text(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
