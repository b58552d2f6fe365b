"""Streams what queries find as Arrow batches, all of one consistent state of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from sqlalchemy import Boolean, Connection, Float, Integer, Select, select

from catalog.database import Database
from catalog.tables import Base

DEFAULT_BATCH_ROWS = 65_536

Query = Select[*tuple[Any, ...]]


@contextmanager
def open_consistent(db: Database) -> Iterator[Connection]:
    """One transaction, which sees nothing that others write meanwhile."""
    isolation = {} if db.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with db.engine.connect().execution_options(**isolation) as connection, connection.begin():
        yield connection


def read_batches(
    connection: Connection, query: Query, batch: int = DEFAULT_BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """The rows, at most `batch` at a time; one empty batch if there are none."""
    schema = build_schema(query)
    result = connection.execute(query, execution_options={"stream_results": True, "max_row_buffer": batch})
    n_batches = 0
    for rows in result.partitions(batch):
        n_batches += 1
        yield _to_batch(schema, list(zip(*rows, strict=True)))
    if not n_batches:
        yield _to_batch(schema, [[] for _ in schema])


def select_all(table: type[Base]) -> Query:
    """Every column and row of a table, ordered by its primary key."""
    return select(*table.__table__.columns).order_by(*table.__table__.primary_key)


def build_schema(query: Query) -> pa.Schema:
    """Names and types of a query's columns."""
    return pa.schema([(column.name, _arrow_type(column.type)) for column in query.selected_columns])


def _to_batch(schema: pa.Schema, columns: list[Any]) -> pa.RecordBatch:
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _arrow_type(sql_type: object) -> pa.DataType:
    for kind, arrow_type in ((Boolean, pa.bool_()), (Integer, pa.int64()), (Float, pa.float64())):
        if isinstance(sql_type, kind):
            return arrow_type
    return pa.string()
