"""What tells a catalog, and each state of it, from any other: numbers that never repeat."""

import secrets
from typing import Final

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from catalog.tables import CatalogIdentity

REVISION_BITS: Final = 62
"""A release that counts revisions up may add to one for ever without leaving 64 bits."""

LOCK_TIMEOUT_S: Final = 15
"""How long a writer of books waits for another one; catalog.sqlite says the same of SQLite."""
_SET_TIMEOUT: Final = {
    "mysql": f"SET innodb_lock_wait_timeout = {LOCK_TIMEOUT_S}",
    "mariadb": f"SET innodb_lock_wait_timeout = {LOCK_TIMEOUT_S}",
    "postgresql": f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'",
}


def new_revision() -> int:
    """A number that a restored backup or another catalog has not used: unlike a counter, it is random."""
    return secrets.randbits(REVISION_BITS)


def read_state(session: Session | Connection) -> str:
    """A name of the catalog as of its last import."""
    return name_state(*session.execute(select(CatalogIdentity.catalog_id, CatalogIdentity.revision)).one())


def name_state(catalog_id: str, revision: int) -> str:
    """The name that caches know this state by."""
    return f"{catalog_id}@{revision}"


def renew_state(connection: Connection) -> None:
    """Tell every cache that books may have changed."""
    connection.execute(update(CatalogIdentity).values(revision=new_revision()))


def lock_catalog(connection: Connection) -> None:
    """Make writers of books take turns: imports and operators' changes; readers' ratings go on.

    The first statement of a transaction, which then sees what the one before it has written. SQLite has one
    writer at a time anyway. The database refuses, in its own words, who has waited too long.
    """
    if statement := _SET_TIMEOUT.get(connection.dialect.name):
        connection.exec_driver_sql(statement)
    connection.execute(select(CatalogIdentity.catalog_id).with_for_update())
