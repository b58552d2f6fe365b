"""Opens the files that a mapping names, whatever their format, and reads their rows by what they mean."""

import glob
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol

from catalog.errors import MappingInvalid, SourceFormatWrong
from catalog.sources.csv_rows import CsvFormat, read_csv
from catalog.sources.files import find_file
from catalog.sources.json_rows import JsonTable
from catalog.sources.mapping import PACKED, Format, Mapping, Table
from catalog.sources.parquet_rows import ParquetTable
from catalog.sources.row_log import Progress
from catalog.sources.values import to_text, to_texts

_USUAL: Final = {
    "user": ("user", "userid"), "item": ("item", "itemid"), "authors": ("authors", "author"),
    "isbn": ("isbn", "isbns"),
}  # fmt: skip
"""What else a column may be called, that is read without being named, in small letters without signs."""
_SIGNS: Final = re.compile(r"[\W_]+")


class TableFile(Protocol):
    """A file of one of the formats."""

    header_line: int | None
    """Where the columns are named, if in a line of their own."""
    has_all_columns: bool
    """Whether a column that `read_columns` does not tell is missing; else it may come in a later record."""

    def read_columns(self) -> list[str]:
        """Names of the columns. Raises SourceError."""

    def rows(
        self, columns: tuple[str, ...], progress: Progress
    ) -> Iterator[tuple[int, tuple[Any, ...] | str]]:
        """Line and fields of each row, or why it is none. Raises SourceError."""


class CsvTable:
    """Separated text; `names` are those of a file that does not name its columns."""

    has_all_columns = True

    def __init__(self, path: Path, layout: CsvFormat, names: Sequence[str]) -> None:
        self.path, self._layout, self._names = path, layout, list(names)
        self.header_line = None if names else 1

    def read_columns(self) -> list[str]:
        """Names of the columns. Raises SourceError."""
        _, first = next(read_csv(self.path, self._layout, lambda *_: None))
        if self._names and len(first) != len(self._names):
            raise SourceFormatWrong(
                self.path, expected=f"{len(self._names)} fields of {self._layout.describe()}",
                found=self._layout.join(list(first)), remedy="is it the right separator?", line=1,
            )  # fmt: skip
        return self._names or [name.strip() for name in first]

    def rows(
        self, columns: tuple[str, ...], progress: Progress
    ) -> Iterator[tuple[int, tuple[Any, ...] | str]]:
        """Line and fields of each row, or why it is none. Raises SourceError."""
        rows = read_csv(self.path, self._layout, progress)
        first = next(rows)
        names = self._names or [name.strip() for name in first[1]]
        places = [names.index(column) for column in columns]
        for line, row in chain([first] if self._names else (), rows):
            if isinstance(row, str):
                yield line, row
            elif len(row) != len(names):
                yield line, "too few fields" if len(row) < len(names) else "too many fields"
            else:
                yield line, tuple([row[place] for place in places])


class Record:
    """A row, by what its columns mean; what the file does not have is empty."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, list[int]], values: tuple[Any, ...]) -> None:
        self._places, self._values = places, values

    def text(self, key: str) -> str:
        """The text of a single column. Raises FieldWrong."""
        places = self._places.get(key)
        return to_text(self._values[places[0]]) if places else ""

    def texts(self, key: str, separator: str) -> tuple[str, ...]:
        """The different texts of one column or several. Raises FieldWrong."""
        places = self._places.get(key, ())
        return tuple(
            dict.fromkeys(text for place in places for text in to_texts(self._values[place], separator))
        )

    def fields(self, key: str) -> list[str]:
        """The text of each of several columns. Raises FieldWrong."""
        return [to_text(self._values[place]) for place in self._places.get(key, ())]


class TableReader:
    """One file of a mapping, with the columns that it names or that have their usual names."""

    def __init__(
        self,
        folder: Path,
        key: str,
        table: Table,
        mapping: Mapping,
        *,
        required: Sequence[str],
        at: Path | None,
    ) -> None:
        """`key` is that of the table in the mapping, which stands in the file `at`. Raises SourceError."""
        self.path = _find(folder, table.file)
        self.name = self.path.name
        self._key, self._at = key, at
        self._file = _open(self.path, table, mapping)
        self._found = self._file.read_columns()
        self._columns = {
            field: columns
            for field, named in table.named().items()
            if (columns := self._find_columns(field, named, is_required=field in required))
        }

    def rows(self, progress: Progress) -> Iterator[tuple[int, Record | str]]:
        """Line and record of each row, or why it is none. Raises SourceError."""
        columns = tuple(dict.fromkeys(chain.from_iterable(self._columns.values())))
        places = {key: [columns.index(name) for name in names] for key, names in self._columns.items()}
        unseen = set(columns) - set(self._found)
        for line, values in self._file.rows(columns, progress):
            if isinstance(values, str):
                yield line, values
                continue
            if unseen:
                unseen -= {name for name, value in zip(columns, values, strict=True) if value is not None}
            yield line, Record(places, values)
        for key, names in self._columns.items():
            if missing := unseen.intersection(names):
                raise self._miss(key, min(missing))

    def has(self, key: str) -> bool:
        """Whether the file has a column for this."""
        return key in self._columns

    def _find_columns(self, key: str, named: tuple[str, ...] | None, *, is_required: bool) -> tuple[str, ...]:
        if named is not None:
            for name in named:
                if name not in self._found and self._file.has_all_columns:
                    raise self._miss(key, name)
            return named
        wanted = _USUAL.get(key, (_fold(key),))
        folded = {_fold(name): name for name in reversed(self._found)}
        if found := next((folded[name] for name in wanted if name in folded), None):
            return (found,)
        if is_required:
            raise SourceFormatWrong(
                self.path, expected=f"a column {key!r}", found=", ".join(self._found) or "none",
                remedy=f"is it the right separator? Else name it as {self._key}.{key} in a mapping file",
                line=self._file.header_line,
            )  # fmt: skip
        return ()

    def _miss(self, key: str, column: str) -> MappingInvalid:
        has = ", ".join(self._found)
        return MappingInvalid(
            self._at or self.path, f"{self._key}.{key} names a column {column!r}, but {self.name} has {has}"
        )


def has_file(folder: Path, name: str) -> bool:
    """Whether a folder has a file, or the same compressed."""
    return (folder / name).exists() or (folder / f"{name}{PACKED}").exists()


def _find(folder: Path, name: str) -> Path:
    """A file, or the same compressed. Raises SourceFileMissing or SourceFileUnreadable."""
    packed = f"{name}{PACKED}"
    is_packed = not (folder / name).exists() and (folder / packed).exists()
    return find_file(folder, glob.escape(packed if is_packed else name), expected=name)


def _open(path: Path, table: Table, mapping: Mapping) -> TableFile:
    match table.written_as:
        case Format.JSON_LINES:
            return JsonTable(path)
        case Format.PARQUET:
            return ParquetTable(path)
    layout = CsvFormat(
        table.separator or mapping.separator, table.encoding or mapping.encoding, escape=table.escape,
        quote=table.quote or None, has_header=not table.columns,
    )  # fmt: skip
    return CsvTable(path, layout, table.columns)


def _fold(name: str) -> str:
    return _SIGNS.sub("", name.casefold())
