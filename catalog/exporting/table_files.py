"""Writes and reads one table's file, a batch of rows at a time; every value comes back as it was."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from catalog.arrow_batches import build_schema, select_all
from catalog.bulk import CHUNK_ROWS
from catalog.errors import ExportDamaged
from catalog.exporting.description import FileFormat
from catalog.tables import Base

_BLOCK_BYTES: Final = 16 * 1024**2
"""How much of a CSV file is parsed at once; no row may be longer."""


def write_batches(
    path: Path, file_format: FileFormat, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> int:
    """Write batches of this schema; return how many rows they have."""
    n_rows = 0
    with path.open("xb") as file:
        with _open_writer(file, file_format, schema) as writer:
            for batch in batches:
                n_rows += batch.num_rows
                writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())
    return n_rows


def read_rows(
    path: Path, file_format: FileFormat, table: type[Base], columns: Sequence[str]
) -> Iterator[list[tuple[Any, ...]]]:
    """Values of these columns, some thousand rows at a time. Raises ExportDamaged."""
    schema = build_schema(select_all(table))
    try:
        for batch in _read_batches(path, file_format, pa.schema([schema.field(name) for name in columns])):
            for first in range(0, batch.num_rows, CHUNK_ROWS):
                rows = batch.slice(first, CHUNK_ROWS)
                yield list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    except (pa.ArrowException, KeyError) as error:
        raise ExportDamaged(path, str(error)) from error


def _open_writer(file: BinaryIO, file_format: FileFormat, schema: pa.Schema) -> Any:
    if file_format is FileFormat.PARQUET:
        return pq.ParquetWriter(file, schema, compression="zstd")
    # Every text is quoted, so that nothing between two commas is a null.
    return pc.CSVWriter(file, schema)


def _read_batches(path: Path, file_format: FileFormat, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    if file_format is FileFormat.PARQUET:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(CHUNK_ROWS, columns=schema.names):
                yield batch.select(schema.names).cast(schema)
        return
    with pc.open_csv(
        path,
        read_options=pc.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=pc.ParseOptions(newlines_in_values=True),
        convert_options=pc.ConvertOptions(
            column_types=schema,
            include_columns=schema.names,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["true"],
            false_values=["false"],
        ),
    ) as batches:
        yield from batches
