"""Reads an export back into a database: an empty one, or the one that it was made of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from catalog.bulk import RowWriter
from catalog.database import Database
from catalog.errors import CatalogNotEmpty, ExportDamaged
from catalog.exporting.description import (
    DESCRIPTION,
    Description,
    TableFile,
    check_export,
    read_description,
)
from catalog.exporting.table_files import read_rows
from catalog.exporting.tables import OF_ACCOUNTS, list_tables
from catalog.identity import lock_catalog, renew_state
from catalog.jobs import DEBOUNCE_S, JobKind, enqueue
from catalog.personal import erase_again, read_erased
from catalog.schema import prepare
from catalog.sources.row_log import Progress
from catalog.tables import Account, Base, CatalogIdentity, User

Accounts = list[tuple[type[Base], Sequence[Row[Any]]]]
"""Rows of the tables of accounts."""


def restore_catalog(
    db: Database, folder: Path, *, replace: bool = False, progress: Progress | None = None
) -> Description:
    """Make the catalog what it was when the export was made, in one transaction.

    An empty database gets the tables too; with `replace` that of another catalog is taken as well. Raises
    ExportDamaged, ExportTooNew or CatalogNotEmpty before anything is written; what fails later leaves the
    catalog as it was.
    """
    description = read_description(folder)
    check_export(description, folder)
    prepare(db)
    with db.session(write=True) as session:
        connection = session.connection()
        lock_catalog(connection)
        if not replace:
            _check_target(connection, db, description)
        is_backup = Account.__tablename__ in {each.name for each in description.tables}
        # A backup brings its own accounts, and ends all log-ins.
        accounts = [] if is_backup else _read_accounts(connection)
        erased = read_erased(connection)
        _clear(connection, private=is_backup)
        for done, table in enumerate(description.tables, start=1):
            _restore_table(connection, description, folder, table)
            if progress:
                progress("tables", done, len(description.tables))
        erase_again(connection, erased)
        _restore_accounts(connection, accounts)
        renew_state(connection)
    with db.session(write=True) as session:
        enqueue(session, JobKind.REFRESH, delay_s=DEBOUNCE_S)
    return description


def is_empty(connection: Connection, *, private: bool = False) -> bool:
    """Whether no table of an export, or of a backup, has a row, but for the catalog's own name."""
    tables = [table for table in list_tables(private=private).values() if table is not CatalogIdentity]
    return not any(connection.execute(select(table.__table__).limit(1)).first() for table in tables)


def _check_target(connection: Connection, db: Database, description: Description) -> None:
    is_same = connection.scalar(select(CatalogIdentity.catalog_id)) == description.catalog_id
    if not (is_same or is_empty(connection)):
        raise CatalogNotEmpty(db.url)


def _clear(connection: Connection, *, private: bool) -> None:
    for table in reversed(list_tables(private=private).values()):
        for name in _list_own_keys(table):
            is_set = table.__table__.columns[name].is_not(None)
            connection.execute(update(table).where(is_set).values({name: None}))
        connection.execute(delete(table))


def _read_accounts(connection: Connection) -> Accounts:
    """What goes with the readers when they are cleared."""
    return [(table, connection.execute(select(table.__table__)).all()) for table in OF_ACCOUNTS]


def _restore_accounts(connection: Connection, accounts: Accounts) -> None:
    """To the readers who were there when the export was made; those who came later are gone."""
    user_ids = set(connection.scalars(select(User.user_id)))
    for table, rows in accounts:
        kept = [dict(row._mapping) for row in rows if row.user_id in user_ids]
        if kept:
            connection.execute(insert(table), kept)


def _restore_table(connection: Connection, description: Description, folder: Path, file: TableFile) -> None:
    table, path = list_tables(private=True)[file.name], description.path(folder, file.name)
    own_keys = _list_own_keys(table)
    columns = [name for name in file.columns if name not in own_keys]
    inserting, n_rows = RowWriter.inserting(connection, table, *columns), 0
    for rows in read_rows(path, description.file_format, table, columns):
        inserting.extend(rows)
        n_rows += len(rows)
    if n_rows != file.n_rows:
        raise ExportDamaged(path, f"{n_rows} rows, {DESCRIPTION} says {file.n_rows}")
    # A row may refer to one that comes after it.
    primary = [column.name for column in table.__table__.primary_key]
    for name in own_keys:
        updating = RowWriter.updating(connection, table, name, where=primary)
        for rows in read_rows(path, description.file_format, table, [name, *primary]):
            updating.extend(row for row in rows if row[0] is not None)


def _list_own_keys(table: type[Base]) -> list[str]:
    """Columns that refer to rows of the same table."""
    of = table.__table__
    return [
        column.name for column in of.columns if any(key.column.table is of for key in column.foreign_keys)
    ]
