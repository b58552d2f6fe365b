"""Reads Parquet files, some thousand rows at a time; a value that cannot be told costs its row."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.errors import SourceFileEmpty, SourceFileTruncated, SourceFormatWrong
from catalog.sources.csv_rows import NOT_TEXT
from catalog.sources.file_kinds import describe_head
from catalog.sources.files import open_file
from catalog.sources.json_rows import dig
from catalog.sources.row_log import Progress

_MAGIC: Final = b"PAR1"
_BATCH_ROWS: Final = 5_000
_FAILURES: Final = (pa.ArrowException, OSError, ValueError, OverflowError)
"""What a damaged file raises."""


class ParquetTable:
    """A Parquet file; a field within others is named by a path, its parts joined by dots."""

    header_line: int | None = None
    has_all_columns = True

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_columns(self) -> list[str]:
        """Paths of all fields. Raises SourceError."""
        with self._open() as file:
            return list(_list_paths(file.schema_arrow))

    def rows(
        self, columns: tuple[str, ...], progress: Progress
    ) -> Iterator[tuple[int, tuple[Any, ...] | str]]:
        """Number, from 1, and fields of each row; or why it cannot be told."""
        with self._open() as file:
            whole = set(file.schema_arrow.names)
            paths = [(name,) if name in whole else tuple(name.split(".")) for name in columns]
            n_rows, number = file.metadata.num_rows, 0
            batches = file.iter_batches(_BATCH_ROWS, columns=sorted({path[0] for path in paths}))
            while (batch := self._read(batches, number)) is not None:
                read = {name: _to_values(batch.column(name)) for name in batch.schema.names}
                fields = [[dig(value, path[1:]) for value in read[path[0]]] for path in paths]
                for values in zip(*fields, strict=True):
                    number += 1
                    yield number, NOT_TEXT if any(value is _UNREADABLE for value in values) else values
                progress(self.path.name, number, n_rows)

    def _read(self, batches: Iterator[pa.RecordBatch], number: int) -> pa.RecordBatch | None:
        try:
            return next(batches, None)
        except _FAILURES as error:
            raise SourceFormatWrong(
                self.path, expected="Parquet", found=_first_line(error), line=number + 1,
                remedy="the rows from there on are damaged: write or download it again",
            ) from error  # fmt: skip

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        with open_file(self.path) as (_, head):
            if not head.startswith(_MAGIC):
                raise SourceFormatWrong(self.path, expected="Parquet", found=describe_head(head))
        try:
            file = pq.ParquetFile(self.path)
        except _FAILURES as error:
            # Its description stands at the end, which is what an interrupted download lacks.
            raise SourceFileTruncated(self.path) from error
        with file:
            if not file.metadata.num_rows:
                raise SourceFileEmpty(self.path)
            yield file


_UNREADABLE: Final = object()
"""In the place of a value that is no text, or no time that Python knows."""


def _to_values(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("s", column.type.tz), safe=False)
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return [_to_value(scalar) for scalar in column]


def _to_value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return _UNREADABLE


def _list_paths(fields: Any, before: str = "") -> Iterator[str]:
    for field in fields:
        kind = field.type
        while pa.types.is_list(kind) or pa.types.is_large_list(kind):
            kind = kind.value_type
        if pa.types.is_struct(kind):
            yield from _list_paths([kind.field(i) for i in range(kind.num_fields)], f"{before}{field.name}.")
        else:
            yield f"{before}{field.name}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
