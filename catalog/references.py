"""Looks whether all that rows refer to is there: once for all rows, where the database did not for each."""

import sqlite3

from sqlalchemy import Connection, ForeignKey, exists, select
from sqlalchemy.exc import IntegrityError

from catalog.tables import Base


def check_references(connection: Connection) -> None:
    """Raise IntegrityError, as the database itself does, for a row that refers to one that is not there."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            _check(connection, key)


def _check(connection: Connection, key: ForeignKey) -> None:
    # In the order of an index, each only once: what they refer to is then read from front to back.
    named = select(key.parent.label("id")).where(key.parent.is_not(None)).distinct().subquery()
    there = key.column.table.alias().columns[key.column.name]
    missing = select(named.c.id).where(~exists().where(there == named.c.id)).limit(1)
    if connection.scalar(missing) is not None:
        failed = sqlite3.IntegrityError(f"FOREIGN KEY constraint failed: {key.parent}")
        raise IntegrityError(str(missing), None, failed)
