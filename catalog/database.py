"""Opens the catalog's database."""

import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar, cast

from sqlalchemy import (
    Connection,
    CursorResult,
    Dialect,
    Engine,
    Integer,
    UpdateBase,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.orm import Session

from catalog.errors import DatabaseUrlInvalid
from catalog.references import check_references
from catalog.sqlite import CACHE_KIB, LARGE_CACHE_KIB, N_OPENED, DatabaseFile, InlineConnection, open_sqlite
from foundation.urls import hide_password

REFUSALS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
MYSQL_REFUSALS = {1054: "unknown column", 3819: "a check, of MySQL", 4025: "a check, of MariaDB"}
"""To PyMySQL these are as operational errors as a database that is away."""
LOST = frozenset({1213, "40P01", "40001"})
"""Of two who waited for one another the one that was ended, of MySQL and of PostgreSQL."""
BUSY = LOST | {1205, "55P03"}
"""And a lock that was waited for in vain."""
MOST_ATTEMPTS: Final = 5
CONNECT_S: Final = 5
ISOLATION: Final = "READ COMMITTED"
"""Each statement sees what is there by then, on MariaDB as on PostgreSQL; what must not change until the
end of the transaction is locked."""

ResultT = TypeVar("ResultT")


class _UncastInteger(Integer):
    """To PostgreSQL as wide as its value: cast to 32 bits, what is larger could be compared with no id."""

    render_bind_cast = False


class Database:
    """The catalog's database: hands out sessions, each one transaction."""

    def __init__(self, engine: Engine, file: DatabaseFile | None = None) -> None:
        self.engine = engine
        self._file = file
        self.url = hide_password(engine.url.render_as_string())

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

    def write(self, work: Callable[[Session], ResultT]) -> ResultT:
        """What `work` returns, done in one transaction, and all of it again if that lost a deadlock.

        For what is short, and has no effect but in the database.
        """
        for _ in range(MOST_ATTEMPTS - 1):
            try:
                return self._write_once(work)
            except DBAPIError as error:
                if LOST.isdisjoint(_codes(error)):
                    raise  # a lock that was waited for in vain may be held for long
        return self._write_once(work)

    def _write_once(self, work: Callable[[Session], ResultT]) -> ResultT:
        with self.session(write=True) as session:
            return work(session)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for what reads for long before it writes: no writer waits until `writing` begins.

        All that it reads is of one moment.
        """
        if self._file is not None:
            self._file.check()
        with self.engine.connect() as connection:
            self._isolate(connection, "REPEATABLE READ")
            self._allow_writes(connection, allowed=False)
            self._cache(connection, LARGE_CACHE_KIB)
            try:
                yield connection
            finally:
                self._allow_writes(connection, allowed=True)
                self._cache(connection, CACHE_KIB)

    @contextmanager
    def writing(self, connection: Connection) -> Iterator[Session]:
        """End what the connection has read, and write in one transaction as `session(write=True)` does.

        SQLite takes whatever rows refer to and looks at its end whether all of that is there; nothing is
        deleted or set to null because what it refers to is deleted.
        """
        connection.rollback()
        self._allow_writes(connection, allowed=True)
        connection.rollback()
        self._isolate(connection, ISOLATION)
        connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        with self._referring_freely(connection), Session(connection) as session, session.begin():
            n_opened = count_opened(session)
            yield session
            session.flush()
            if self._file is not None:
                check_references(connection)
        if self._file is not None:
            self._file.check_written(n_opened)

    def open_inline(self) -> InlineConnection | None:
        """For queries that are too short to be handed to a thread; None unless it is a file."""
        return None if self._file is None else InlineConnection(self._file)

    def _allow_writes(self, connection: Connection, *, allowed: bool) -> None:
        """SQLite takes its write lock for the first write by mistake; elsewhere that would only lock rows."""
        if self._file is not None:
            connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if allowed else 'ON'}")

    def _cache(self, connection: Connection, kib: int) -> None:
        """Where keys are all over an index, SQLite would write and read its pages again and again."""
        if self._file is not None:
            connection.exec_driver_sql(f"PRAGMA cache_size = -{kib}")

    @contextmanager
    def _referring_freely(self, connection: Connection) -> Iterator[None]:
        """To look up the book and the reader of each of a million ratings takes longer than to write them."""
        if self._file is None:
            yield
            return
        # Not by SQLAlchemy, which would begin a transaction: in one, SQLite does not hear this.
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            yield
        finally:
            driver.execute("PRAGMA foreign_keys = ON")

    def _isolate(self, connection: Connection, level: IsolationLevel) -> None:
        """SQLite knows one level, which is stricter."""
        if connection.dialect.name != "sqlite":
            connection.execution_options(isolation_level=level)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def open_database(url: str, *, patience_s: int | None = None) -> Database:
    """Open any SQLAlchemy URL; an SQLite file's folder is created. Raises DatabaseUrlInvalid.

    A MySQL server that says nothing for so many seconds counts as lost, and one that does not take a
    connection in five.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return Database(*open_sqlite(parsed))
        # What a statement is about may be somebody's e-mail: no error quotes it.
        engine = create_engine(parsed, pool_pre_ping=True, isolation_level=ISOLATION, hide_parameters=True)
        event.listen(engine, "do_connect", partial(_connect, patience_s))
        if parsed.get_backend_name() == "postgresql":
            engine.dialect.colspecs = {**engine.dialect.colspecs, Integer: _UncastInteger}
        return Database(engine)
    # Not `from error`: the message of what went wrong may hold a piece of the password.
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise DatabaseUrlInvalid("not an SQLAlchemy URL") from None
    except ModuleNotFoundError as error:
        raise DatabaseUrlInvalid(
            f"its driver {error.name} is not installed; `pip install 'bookmesh[mysql]'` and begin with "
            "mysql+pymysql:// for MySQL and MariaDB, or `pip install 'bookmesh[postgresql]'` and "
            "postgresql+psycopg:// for PostgreSQL"
        ) from None


def is_our_mistake(error: SQLAlchemyError) -> bool:
    """Whether the database refused a statement, which was wrong then, rather than failed to serve it."""
    if not isinstance(error, DBAPIError) or isinstance(error, REFUSALS):
        return True
    match error.orig:
        case sqlite3.Error() as cause:
            return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
        case Exception(args=(code, *_)):
            return code in MYSQL_REFUSALS
    return False


def is_busy(error: SQLAlchemyError) -> bool:
    """Whether another writer held what a statement needed for too long."""
    cause = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    return not BUSY.isdisjoint(_codes(error))


def count_opened(session: Session) -> int:
    """Which of the databases that had this URL a session is on; only an SQLite file can be replaced."""
    return int(session.connection().info.get(N_OPENED, 1))


def count_changed(session: Session, statement: UpdateBase) -> int:
    """Run an update or a delete and tell how many rows it met."""
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def _codes(error: SQLAlchemyError) -> set[object]:
    """What a server calls a failure: PostgreSQL a state, MySQL a number."""
    cause = getattr(error, "orig", None)
    return {getattr(cause, "sqlstate", None), *getattr(cause, "args", ())[:1]}


def _connect(
    patience_s: int | None, dialect: Dialect, _record: object, arguments: list[Any], options: dict[str, Any]
) -> Any:
    waits = {"connect_timeout": CONNECT_S}
    if dialect.driver == "pymysql" and patience_s is not None:
        waits |= {"read_timeout": patience_s, "write_timeout": patience_s}
    try:
        return dialect.connect(*arguments, **waits | options)
    except struct.error as error:
        raise dialect.loaded_dbapi.OperationalError("what answers there is no such database") from error
    except (AttributeError, LookupError, TypeError, ValueError, dialect.loaded_dbapi.ProgrammingError):
        raise DatabaseUrlInvalid("the driver takes no such options or values after the ?") from None
