"""Opens the catalog's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, UpdateBase, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session

from catalog.errors import DatabaseUrlInvalid
from catalog.sqlite import N_OPENED, DatabaseFile, open_sqlite


class Database:
    """The catalog's database: hands out sessions, each one transaction."""

    def __init__(self, engine: Engine, file: DatabaseFile | None = None) -> None:
        self.engine = engine
        self._file = file
        self.url = engine.url.render_as_string(hide_password=True)

    @contextmanager
    def session(self, *, write: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        With `write` SQLite takes its write lock at the start. A session that reads before it writes needs
        that: without it another writer may come between, and SQLite then refuses the write at once.
        Raises DatabaseFileGone, and after a write that did not last DatabaseFileReplaced.
        """
        if self._file is not None:
            self._file.check()
        with Session(self.engine) as session, session.begin():
            if write:
                session.connection(execution_options={"sqlite_begin": "BEGIN IMMEDIATE"})
            n_opened = count_opened(session)
            yield session
        if write and self._file is not None:
            self._file.check_written(n_opened)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open any SQLAlchemy URL; an SQLite file's folder is created. Raises DatabaseUrlInvalid."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return Database(*open_sqlite(parsed))
        return Database(create_engine(parsed, pool_pre_ping=True))
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseUrlInvalid(url, "not an SQLAlchemy URL") from error
    except ModuleNotFoundError as error:
        raise DatabaseUrlInvalid(url, f"its driver is not installed (`pip install {error.name}`)") from error


def count_opened(session: Session) -> int:
    """Which of the databases that had this URL a session is on; only an SQLite file can be replaced."""
    return int(session.connection().info.get(N_OPENED, 1))


def count_changed(session: Session, statement: UpdateBase) -> int:
    """Run an update or a delete and tell how many rows it met."""
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount
