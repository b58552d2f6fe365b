"""Writes very many rows with few statements: Core statements compiled once, executed with plain tuples.

PostgreSQL gets new rows by COPY, which takes a third of the time.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from typing import Any, cast

from msgspec import msgpack
from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Table,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from catalog.tables import Base

CHUNK_ROWS = 10_000


class RowWriter:
    """Queues tuples for one statement, packed if there are many; nothing is written before `flush`."""

    def __init__(
        self,
        connection: Connection,
        statement: Insert | Update | Delete,
        names: Sequence[str],
        same: Sequence[object] = (),
    ) -> None:
        """`same` are the values of the last names, in all rows."""
        self._connection, self._statement, self._names, self._same = connection, statement, names, same
        self._rows: list[tuple[Any, ...]] = []
        self._packed: list[bytes] = []

    @classmethod
    def inserting(
        cls, connection: Connection, table: type[Base], *columns: str, **same: object
    ) -> "RowWriter":
        """Inserts rows; their values are in the order of the columns, those of `same` are equal in all."""
        names = [*columns, *same]
        statement = insert(table).values({name: bindparam(name) for name in names})
        return cls(connection, statement, names, tuple(same.values()))

    @classmethod
    def updating(
        cls,
        connection: Connection,
        table: type[Base],
        *columns: str,
        where: Sequence[str],
        **same: object,
    ) -> "RowWriter":
        """Updates the rows found by `where`; each tuple holds the new values, then those to find it by."""
        of = table.__table__.columns
        statement = update(table).values({name: bindparam(f"new_{name}") for name in (*columns, *same)})
        statement = statement.where(*(of[name] == bindparam(f"old_{name}") for name in where))
        new, old = [f"new_{name}" for name in columns], [f"old_{name}" for name in where]
        names = [*new, *old, *(f"new_{name}" for name in same)]
        return cls(connection, statement, names, tuple(same.values()))

    @classmethod
    def deleting(
        cls, connection: Connection, table: type[Base], *conditions: ColumnElement[bool], where: Sequence[str]
    ) -> "RowWriter":
        """Deletes the rows found by `where`, if the conditions hold of them."""
        of = table.__table__.columns
        statement = delete(table).where(*(of[name] == bindparam(name) for name in where), *conditions)
        return cls(connection, statement, where)

    def add(self, *values: object) -> None:
        """Queue one row."""
        self._rows.append(values)
        if len(self._rows) >= CHUNK_ROWS:
            self._packed.append(zlib.compress(msgpack.encode(self._rows), level=1))
            self._rows = []

    def extend(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write many rows, a chunk at a time."""
        iterator = iter(rows)
        while chunk := list(islice(iterator, CHUNK_ROWS)):
            self._write(chunk)

    def flush(self) -> None:
        """Write what is queued; values must be of types that the driver takes as they are."""
        for rows in self._unpack():
            self._write(rows)

    def _unpack(self) -> Iterator[list[tuple[Any, ...]]]:
        packed, self._packed = self._packed[::-1], []
        while packed:
            yield msgpack.decode(zlib.decompress(packed.pop()), type=list[tuple[Any, ...]])
        rows, self._rows = self._rows, []
        if rows:
            yield rows

    def _write(self, rows: list[tuple[Any, ...]]) -> None:
        """SQLAlchemy would need a dict for every row, and walks through each: a third of an import's time."""
        if self._same:
            rows = [(*row, *self._same) for row in rows]
        if self._connection.dialect.name == "postgresql" and isinstance(self._statement, Insert):
            copy_rows(self._connection, cast("Table", self._statement.table), self._names, rows)
            return
        compiled = self._statement.compile(dialect=self._connection.dialect)
        if compiled.positiontup is None:
            named = [dict(zip(self._names, row, strict=True)) for row in rows]
            self._connection.execute(self._statement, named)
            return
        if compiled.positiontup != list(self._names):
            in_order = itemgetter(*(self._names.index(name) for name in compiled.positiontup))
            rows = list(map(in_order, rows))
        self._connection.exec_driver_sql(str(compiled), rows)


@contextmanager
def indexed_afterwards(connection: Connection, table: type[Base]) -> Iterator[None]:
    """What is inserted here comes into the table's indexes at the end, where SQLite sorts it once.

    That halves the time of two million rows. Other databases would lock the table.
    """
    indexes = cast("Table", table.__table__).indexes if connection.dialect.name == "sqlite" else ()
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


def copy_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Insert rows into a table of PostgreSQL, and let its next id follow those that they bring."""
    statement = f"COPY {table.name} ({', '.join(names)}) FROM STDIN"
    driver, cursor = connection.dialect.loaded_dbapi, cast("Any", connection.connection.cursor())
    try:
        with cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        raise DBAPIError.instance(statement, None, error, driver.Error) from error
    number = table.autoincrement_column
    if number is not None and number.name in names:
        sequence = func.pg_get_serial_sequence(table.name, number.name)
        connection.execute(select(func.setval(sequence, select(func.max(number)).scalar_subquery())))
