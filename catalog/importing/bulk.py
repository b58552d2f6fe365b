"""Writes very many rows with few statements: Core statements compiled once, executed with plain tuples."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Insert, Update, bindparam, insert, update

from catalog.tables import Base

CHUNK_ROWS = 10_000


class RowWriter:
    """Inserts tuples of the given columns into a table, buffered; call `flush` at the end."""

    def __init__(self, connection: Connection, table: type[Base], *columns: str) -> None:
        self._connection = connection
        self._statement = insert(table).values({name: bindparam(name) for name in columns})
        self._columns = columns
        self._rows: list[tuple[Any, ...]] = []
        self.n_rows = 0

    def add(self, *values: object) -> None:
        """Queue one row, its values in the order of the columns."""
        self._rows.append(values)

    def extend(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write many rows, a chunk at a time."""
        iterator = iter(rows)
        while chunk := list(islice(iterator, CHUNK_ROWS)):
            self._rows.extend(chunk)
            self.flush()

    @property
    def is_full(self) -> bool:
        """Whether it is time to flush."""
        return len(self._rows) >= CHUNK_ROWS

    def flush(self) -> None:
        """Write what is queued."""
        if self._rows:
            execute_many(self._connection, self._statement, self._columns, self._rows)
            self.n_rows += len(self._rows)
            self._rows.clear()


def update_rows(
    connection: Connection,
    table: type[Base],
    keys: Sequence[str],
    columns: Sequence[str],
    rows: list[tuple[Any, ...]],
) -> None:
    """Update rows found by `keys`; each tuple holds the new values, then the keys' values."""
    columns_of = table.__table__.columns
    statement = update(table).values({columns_of[name]: bindparam(f"new_{name}") for name in columns})
    for key in keys:
        statement = statement.where(columns_of[key] == bindparam(f"old_{key}"))
    names = [*(f"new_{name}" for name in columns), *(f"old_{key}" for key in keys)]
    if rows:
        execute_many(connection, statement, names, rows)


def execute_many(
    connection: Connection, statement: Insert | Update, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Execute with each tuple; values must be of types that the driver takes as they are.

    SQLAlchemy would need a dict for every row, and walks through each: a third of the time of a large import.
    """
    compiled = statement.compile(dialect=connection.dialect)
    if compiled.positiontup is None:
        connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
        return
    if list(compiled.positiontup) != list(names):
        order = [list(names).index(name) for name in compiled.positiontup]
        rows = [tuple(row[i] for i in order) for row in rows]
    connection.exec_driver_sql(str(compiled), list(rows))
