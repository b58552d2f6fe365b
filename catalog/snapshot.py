"""Streams the catalog to the pipeline as Arrow batches, all of one consistent state of the database."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import Boolean, Float, Integer, Select, select

from catalog.database import Database
from catalog.tables import Author, Base, Book, BookAuthor, BookSubject, Edition, Rating, Subject

DEFAULT_BATCH_ROWS = 65_536


def read_tables(db: Database, batch: int = DEFAULT_BATCH_ROWS) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Every table that training needs as (table name, at most `batch` rows), ordered by primary key.

    One transaction sees all tables. Each table comes with at least one batch, an empty one if it has no rows;
    SCHEMAS tells the columns. Replaced books are left out.
    """
    isolation = {} if db.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with db.engine.connect().execution_options(**isolation) as connection, connection.begin():
        for name, query in _QUERIES.items():
            result = connection.execution_options(stream_results=True, max_row_buffer=batch).execute(query)
            n_batches = 0
            for rows in result.partitions(batch):
                n_batches += 1
                yield name, _to_batch(SCHEMAS[name], list(zip(*rows, strict=True)))
            if not n_batches:
                yield name, _to_batch(SCHEMAS[name], [[] for _ in SCHEMAS[name]])


def _to_batch(schema: pa.Schema, columns: list[Any]) -> pa.RecordBatch:
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _all_columns(table: type[Base]) -> Select[*tuple[Any, ...]]:
    return select(*table.__table__.columns).order_by(*table.__table__.primary_key)


_QUERIES: dict[str, Select[*tuple[Any, ...]]] = {
    "books": select(
        Book.book_id, Book.title, Book.year, Book.language, Book.description, Book.main_subject_id
    ).where(Book.replaced_by.is_(None)).order_by(Book.book_id),
    "editions": _all_columns(Edition),
    "authors": _all_columns(Author),
    "book_authors": _all_columns(BookAuthor),
    "subjects": _all_columns(Subject),
    "book_subjects": _all_columns(BookSubject),
    "ratings": select(Rating.user_id, Rating.book_id, Rating.rating, Rating.rated_at).order_by(
        Rating.user_id, Rating.book_id
    ),
}  # fmt: skip


def _arrow_type(sql_type: object) -> pa.DataType:
    for kind, arrow_type in ((Boolean, pa.bool_()), (Integer, pa.int64()), (Float, pa.float64())):
        if isinstance(sql_type, kind):
            return arrow_type
    return pa.string()


SCHEMAS: dict[str, pa.Schema] = {
    name: pa.schema([(column.name, _arrow_type(column.type)) for column in query.selected_columns])
    for name, query in _QUERIES.items()
}
"""Columns of each table that `read_tables` yields."""
