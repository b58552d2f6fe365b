"""Reads the columns that a source needs out of a table, and counts its rows."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path

from catalog.errors import SourceFormatWrong
from catalog.sources.csv_rows import CsvFormat, NumberedRow, read_csv
from catalog.sources.row_log import RowLog

Fields = tuple[str, ...]


def read_columns(
    path: Path, layout: CsvFormat, columns: Sequence[str], log: RowLog, *, counted_as: str | None = None
) -> Iterator[Fields]:
    """The fields of these columns, two or more, of every row, without spaces around them.

    A row of more or fewer fields than columns is dropped. A second pass through a file has another name for
    its rows in the report. Raises SourceFormatWrong if a column is missing, and what `read_csv` raises.
    """
    rows = read_csv(path, layout, log.progress)
    header = list(next(rows)[1])
    if missing := [name for name in columns if name not in header]:
        found = layout.join(header)
        raise SourceFormatWrong(path, expected=f"a column {missing[0]!r}", found=found, line=1)
    places = itemgetter(*(header.index(name) for name in columns))
    for row in _check(rows, counted_as or path.name, len(header), log):
        yield tuple(map(str.strip, places(row)))


def read_fields(path: Path, layout: CsvFormat, n_fields: int, log: RowLog) -> Iterator[Fields]:
    """The fields of every row of a table whose first line is a row already, without spaces around them.

    Raises SourceFormatWrong if that has another number of them, and what `read_csv` raises.
    """
    rows = read_csv(path, layout, log.progress)
    first = next(rows)
    if len(first[1]) != n_fields:
        expected = f"{n_fields} fields of {layout.describe()}"
        raise SourceFormatWrong(path, expected=expected, found=layout.join(list(first[1])), line=1)
    for row in _check(chain([first], rows), path.name, n_fields, log):
        yield tuple(map(str.strip, row))


def _check(rows: Iterable[NumberedRow], file: str, n_fields: int, log: RowLog) -> Iterator[list[str]]:
    """Whole rows; what is wrong with the others is counted."""
    for line, row in rows:
        log.read(file, line)
        if isinstance(row, str):
            log.drop(file, row)
        elif len(row) != n_fields:
            log.drop(file, "too few fields" if len(row) < n_fields else "too many fields")
        else:
            yield row
