"""Reads the library that a reader has exported elsewhere: a row that is damaged costs itself and no other."""

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from catalog.errors import SourceFileEmpty, SourceFormatWrong
from catalog.library import goodreads, storygraph
from catalog.library.fields import read_text
from catalog.library.records import ExportRow, Shelf
from catalog.sources.csv_rows import CsvFormat, Row, read_open_csv
from catalog.sources.file_kinds import HEAD_BYTES
from catalog.sources.values import FieldWrong

MOST_ROWS: Final = 10_000
NO_TITLE: Final = "no title"
NOT_READ: Final = "on a shelf that does not say whether it was read"
_FILE: Final = Path("the library")
_EXPORTS: Final = (goodreads, storygraph)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is none."""

    line: int
    reason: str
    """One of a few fixed phrases."""


@dataclass(frozen=True, slots=True)
class Library:
    """What an export holds."""

    source: str
    """Who has exported it."""
    rows: Sequence[ExportRow]
    left_out: Sequence[LeftOut]


def read_library(content: bytes) -> Library:
    """The rows of a Goodreads or StoryGraph export.

    Raises SourceFileEmpty, SourceFormatWrong or SourceFileTruncated.
    """
    if not content.strip():
        raise SourceFileEmpty(_FILE)
    layout = CsvFormat()
    lines = read_open_csv(_FILE, io.BytesIO(content), content[:HEAD_BYTES], layout)
    header = [read_text(str(name)) for name in next(lines)[1]]
    export = _find_export(header, layout)
    rows, left_out = list[ExportRow](), list[LeftOut]()
    for line, row in lines:
        if not row:
            continue  # an empty line
        if len(rows) + len(left_out) == MOST_ROWS:
            raise SourceFormatWrong(
                _FILE,
                expected=f"at most {MOST_ROWS:,} books",
                found="more",
                remedy="send it in parts",
                line=line,
            )
        try:
            rows.append(_check(export.read_row(line, _name_fields(header, row))))
        except FieldWrong as error:
            left_out.append(LeftOut(line, error.reason))
    return Library(export.NAME, rows, left_out)


def _find_export(header: Sequence[str], layout: CsvFormat) -> ModuleType:
    missing = {export: [name for name in export.COLUMNS if name not in header] for export in _EXPORTS}
    export = min(_EXPORTS, key=lambda each: len(missing[each]))
    if missing[export]:
        raise SourceFormatWrong(
            _FILE,
            expected=f"the columns {', '.join(map(repr, missing[export]))} of an export of "
            f"{' or '.join(each.NAME for each in _EXPORTS)}",
            found=layout.join(header),
            remedy="send the file as you got it",
            line=1,
        )
    return export


def _check(row: ExportRow) -> ExportRow:
    """Raises FieldWrong for one that says nothing of the reader."""
    if row.shelf is Shelf.OTHER and row.rating is None:
        raise FieldWrong(NOT_READ)
    return row


def _name_fields(header: Sequence[str], row: Row) -> Mapping[str, str]:
    """The fields by their columns, nothing in those that are not there. Raises FieldWrong."""
    if isinstance(row, str):
        raise FieldWrong(row)
    if len(row) != len(header):
        raise FieldWrong("too few fields" if len(row) < len(header) else "too many fields")
    fields = defaultdict(str, zip(header, map(read_text, row), strict=True))
    if not fields["Title"]:
        raise FieldWrong(NO_TITLE)
    return fields
