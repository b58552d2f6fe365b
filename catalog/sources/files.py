"""Opens the files of a dump: checks that they are whole, and tells how much of them is read."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from catalog.errors import SourceFileEmpty, SourceFileMissing, SourceFileTruncated, SourceFormatWrong
from catalog.sources.row_log import Progress

_PROGRESS_EVERY_ROWS = 5_000


def read_semicolon_csv(path: Path, columns: Sequence[str], progress: Progress) -> Iterator[list[str]]:
    """Rows after the header of a Book-Crossing file, each with as many fields as it happens to have.

    Latin-1, fields in quotes, a quote within a field behind a backslash. Raises SourceFileEmpty,
    SourceFormatWrong if the header does not begin with `columns`, SourceFileTruncated if the last line has no
    end.
    """
    size = check_has_end(path)
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding="latin-1", newline="") as text:
        header = next(csv.reader([text.readline()], delimiter=";", escapechar="\\"))
        if header[: len(columns)] != list(columns):
            raise SourceFormatWrong(path, expected=_show(columns), found=_show(header))
        rows = csv.reader(text, delimiter=";", escapechar="\\", strict=True)
        n_rows = 0
        try:
            for n_rows, row in enumerate(rows, start=1):
                if n_rows % _PROGRESS_EVERY_ROWS == 0:
                    progress(path.name, raw.tell(), size)
                yield row
        except csv.Error as error:
            raise _explain(error, path, rows.line_num + 1) from error
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


def check_has_end(path: Path) -> int:
    """Size in bytes of a text file; SourceFileEmpty, or SourceFileTruncated if its last line has no end."""
    size = path.stat().st_size
    if not size:
        raise SourceFileEmpty(path)
    with path.open("rb") as file:
        file.seek(-1, io.SEEK_END)
        if file.read() != b"\n":
            raise SourceFileTruncated(path, after=f"{size:,} bytes")
    return size


def find_file(folder: Path, name: str, *, expected: str) -> Path:
    """The file of this name, or the last of this pattern. Raises SourceFileMissing."""
    found = sorted(folder.glob(name))
    if not found:
        raise SourceFileMissing(folder / name, expected=expected)
    return found[-1]


def _explain(error: csv.Error, path: Path, line: int) -> SourceFormatWrong | SourceFileTruncated:
    if "unexpected end of data" in str(error):
        return SourceFileTruncated(path, after=f"line {line:,}, where a quote is still open")
    return SourceFormatWrong(path, expected="semicolon-separated text", found=f"{error} at line {line:,}")


def _show(columns: Sequence[str]) -> str:
    text = ";".join(columns)
    return f"the header {text!r}" if len(text) <= 120 else f"{text[:120]!r}…"
