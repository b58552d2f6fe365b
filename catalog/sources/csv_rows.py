"""Reads tables of separated text row by row; a damaged line costs that line and no other.

Most of a file is read by the block, a row a line. In a block with damage or with a row of several lines, each
row is tried by itself: a quote that no later line closes, or closes where no field ends, costs the line that
opened it, and reading goes on with the next.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from catalog.errors import SourceFileEmpty, SourceFileTruncated, SourceFormatWrong
from catalog.sources.file_kinds import find_encoding, find_kind
from catalog.sources.files import open_text, read_lines, unpacking
from catalog.sources.row_log import Progress

if TYPE_CHECKING:
    from _csv import Reader

NOT_TEXT, NUL_BYTE, TOO_LONG = "bytes that are no text", "NUL byte", "line too long"
OPEN_QUOTE, STRAY_QUOTE = "quote never closed", "quote in the wrong place"
"""Why a line is no row."""
LONGEST_LINE: Final = 1 << 17
"""Characters; the csv module takes no longer field either."""
MOST_LINES_OF_ROW: Final = 100
MOST_NOT_TEXT: Final = 0.01
"""Share of lines; where more are no text, the encoding is wrong and not the lines."""
_SEPARATOR_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
_NO_TEXT: Final = "\udcff"
"""In the place of bytes that the encoding does not know: it has no such letter either."""
_MARK_ERRORS: Final = "bookmesh_mark"
codecs.register_error(_MARK_ERRORS, lambda error: (_NO_TEXT, error.end))  # type: ignore[attr-defined]

Row = list[str] | str
"""The fields of a row, or why a line is none."""
NumberedRow = tuple[int, Row]
"""With the line in which it begins."""


@dataclass(frozen=True)
class CsvFormat:
    """How a source writes its tables."""

    separator: str = ","
    encoding: str = "utf-8"
    """Unless a file tells another by a byte order mark."""
    escape: str | None = None
    """What stands before a quote within a field; without it, such a quote is doubled."""
    last_line_ends: bool = False
    """Whether a file whose last line has no end was cut off."""
    quote: str | None = '"'
    """What may stand around a field; without it no letter does."""
    has_header: bool = True
    """Whether the first line names the columns; if not, it is a row."""

    def join(self, fields: Sequence[str]) -> str:
        """A row as it stands in a file, for messages."""
        text = self.separator.join(fields)
        return f"{text!r}" if len(text) <= 120 else f"{text[:120]!r}…"

    def describe(self) -> str:
        """What a file of this format holds, for messages."""
        return f"{_SEPARATOR_NAMES.get(self.separator, repr(self.separator))}-separated text"

    def parse(self, lines: Iterable[str], *, strict: bool = True) -> "Reader":
        """The csv module's reader of these lines."""
        signs: dict[str, Any] = {"delimiter": self.separator, "escapechar": self.escape, "strict": strict}
        if self.quote is None:
            return csv.reader(lines, quoting=csv.QUOTE_NONE, **signs)
        return csv.reader(lines, quotechar=self.quote, **signs)


def read_csv(path: Path, layout: CsvFormat, progress: Progress) -> Iterator[NumberedRow]:
    """The first line's row, then the others, each with its line and as many fields as it happens to have.

    Raises SourceFileEmpty without a row, SourceFormatWrong, SourceFileTruncated or SourceFileUnreadable.
    """
    with open_text(path) as (raw, file, head):
        size = path.stat().st_size
        yield from read_open_csv(path, file, head, layout, lambda: progress(path.name, raw.tell(), size))
    progress(path.name, size, size)


def read_open_csv(
    path: Path, file: BinaryIO, head: bytes, layout: CsvFormat, advance: Callable[[], None] = lambda: None
) -> Iterator[NumberedRow]:
    """The same of a file that is open, of which these are the first bytes; `path` is its name in messages."""
    if kind := find_kind(head):
        raise SourceFormatWrong(path, expected=layout.describe(), found=kind.name, remedy=kind.remedy)
    layout = replace(layout, encoding=find_encoding(head) or layout.encoding)
    damage = _Damage(path, layout)
    with (
        unpacking(path, lambda: damage.n_lines + 1),
        io.TextIOWrapper(file, layout.encoding, errors=_MARK_ERRORS, newline="") as text,
    ):
        header = next(layout.parse([text.readline(LONGEST_LINE)], strict=False))
        yield 1, header
        waiting, line = list[str](), 2
        for lines in read_lines(text.read, _split_text, "\r\n", longest=LONGEST_LINE):
            damage.note(lines)
            lines = waiting + lines
            rows, waiting = _parse(lines, line, layout, len(header))
            yield from rows
            line += len(lines) - len(waiting)
            advance()
        last, _ = _parse_each(waiting, line, layout, len(header), is_end=True)
        damage.check(last_row=last[-1][1] if last else [])
        yield from last


class _Damage:
    """What is wrong with a whole file, told by its lines."""

    def __init__(self, path: Path, layout: CsvFormat) -> None:
        self._path, self._layout = path, layout
        self._last = ""
        self.n_lines = 1
        self._n_not_text, self._first_not_text = 0, 0

    def note(self, lines: Sequence[str]) -> None:
        """Look at the next lines."""
        self._last = lines[-1]
        if _NO_TEXT in "".join(lines):
            not_text = [n for n, line in enumerate(lines, self.n_lines + 1) if _NO_TEXT in line]
            self._first_not_text = self._first_not_text or not_text[0]
            self._n_not_text += len(not_text)
        self.n_lines += len(lines)

    def check(self, *, last_row: Row) -> None:
        """Raise SourceFileEmpty, SourceFileTruncated or SourceFormatWrong."""
        if self.n_lines == 1 and self._layout.has_header:
            raise SourceFileEmpty(self._path)
        if self._n_not_text > MOST_NOT_TEXT * self.n_lines:
            raise SourceFormatWrong(
                self._path,
                expected=f"text in {self._layout.encoding}",
                found=f"other bytes in {self._n_not_text:,} lines",
                remedy="save it as that, or name its encoding",
                line=self._first_not_text,
            )
        has_end = self._last[-1:] in ("\n", "\r", "")
        if not has_end and (self._layout.last_line_ends or last_row == OPEN_QUOTE):
            raise SourceFileTruncated(self._path, line=self.n_lines)


def _parse(
    lines: list[str], first: int, layout: CsvFormat, n_columns: int
) -> tuple[Iterable[NumberedRow], list[str]]:
    """Rows, numbered from `first`, and lines that cannot be told before the next ones are known."""
    rows = _parse_undamaged(lines, layout)
    return _parse_each(lines, first, layout, n_columns) if rows is None else (enumerate(rows, first), [])


def _parse_undamaged(lines: list[str], layout: CsvFormat) -> Sequence[Row] | None:
    """A row of each line, None where that is not what they are."""
    if "" in lines or _why_no_text("".join(lines)):
        return None
    try:
        rows = list(layout.parse(lines))
    except csv.Error:
        return None
    return rows if len(rows) == len(lines) else None


def _parse_each(
    lines: list[str], first: int, layout: CsvFormat, n_columns: int, *, is_end: bool = False
) -> tuple[Sequence[NumberedRow], list[str]]:
    """The same, row by row."""
    rows: list[NumberedRow] = []
    start, end = 0, len(lines) if is_end else len(lines) - MOST_LINES_OF_ROW
    while start < end:
        row, n_lines = _parse_row(lines[start : start + MOST_LINES_OF_ROW], layout, n_columns)
        rows.append((first + start, row))
        start += n_lines
    return rows, lines[start:]


def _parse_row(lines: list[str], layout: CsvFormat, n_columns: int) -> tuple[Row, int]:
    """The row that begins these lines, and how many of them it takes; a row of several must be perfect."""
    if reason := _why_no_text(lines[0]):
        return reason, 1
    reader = layout.parse(lines)
    try:
        row = next(reader)
    except csv.Error as error:
        is_open = reader.line_num > 1 or "end of data" in str(error)
        return OPEN_QUOTE if is_open else STRAY_QUOTE, 1
    n_lines = reader.line_num
    if n_lines > 1 and (len(row) != n_columns or any(map(_why_no_text, lines[:n_lines]))):
        return OPEN_QUOTE, 1
    return row, n_lines


def _why_no_text(text: str) -> str | None:
    if not text:  # a real line has an end at least
        return TOO_LONG
    if "\0" in text:
        return NUL_BYTE
    try:
        # What was marked, and any other half of a letter, has no bytes.
        text.encode()
    except UnicodeEncodeError:
        return NOT_TEXT
    return None


def _split_text(block: str) -> list[str]:
    # str.splitlines would also split at letters such as U+0085, which are part of a line here.
    return io.StringIO(block, newline="").readlines()
