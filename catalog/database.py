"""Opens the catalog's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, CursorResult, Engine, UpdateBase, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session

from catalog.errors import DatabaseUrlInvalid

SQLITE_BUSY_TIMEOUT_MS = 15_000
"""How long a writer waits for another one."""


class Database:
    """The catalog's database: hands out sessions, each one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.url = engine.url.render_as_string(hide_password=True)

    @contextmanager
    def session(self, *, write: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        With `write` SQLite takes its write lock at the start. A session that reads before it writes needs
        that: without it another writer may come between, and SQLite then refuses the write at once.
        """
        with Session(self.engine) as session, session.begin():
            if write:
                session.connection(execution_options={"sqlite_begin": "BEGIN IMMEDIATE"})
            yield session

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open any SQLAlchemy URL; an SQLite file's folder is created. Raises DatabaseUrlInvalid."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return Database(_open_sqlite(parsed))
        return Database(create_engine(parsed, pool_pre_ping=True))
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseUrlInvalid(url, "not an SQLAlchemy URL") from error
    except ModuleNotFoundError as error:
        raise DatabaseUrlInvalid(url, f"its driver is not installed (`pip install {error.name}`)") from error


def count_changed(session: Session, statement: UpdateBase) -> int:
    """Run an update or a delete and tell how many rows it met."""
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def _open_sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    # The driver must not open transactions by itself: it would leave reads and DDL outside of them.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        f"busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
