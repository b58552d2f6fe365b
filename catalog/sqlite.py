"""Opens an SQLite file, and notices when it is deleted or when another file takes its place."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import structlog
from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from catalog.errors import CatalogError, DatabaseFileGone, DatabaseFileReplaced

BUSY_TIMEOUT_MS: Final = 15_000
"""How long a writer waits for another one."""
CACHE_KIB: Final = 2_000
"""Pages that a connection keeps in memory: SQLite's own default."""
LARGE_CACHE_KIB: Final = 65_536
"""The same of an import: the index of a few million ratings."""
WRITE_AHEAD_LOG: Final = "-wal"
INDEX_OF_LOG: Final = "-shm"

N_OPENED: Final = "n_opened"
"""Among the facts of a connection: how many files had this name when it was opened."""

MOST_INLINE_ROWS: Final = 500
"""So many take half a millisecond, which others may wait for."""

FileId = tuple[int, int]
"""Device and inode."""
Query = tuple[str, Sequence[object]]
"""Text and values."""
Rows = list[tuple[Any, ...]]

log = structlog.get_logger()


class DatabaseFile:
    """The file behind an engine.

    SQLite itself goes on reading and writing a file that nobody can open any more. And it believes any log
    that lies beside a file: that of the former one would be written into its successor.
    """

    def __init__(self, path: Path, engine: Engine) -> None:
        self._n_opened = 0
        self._path = path
        self._engine = engine
        self.opened: FileId | None = None
        """The file that the engine's connections are on; None until there is one."""
        self._logs: dict[Path, FileId | None] = {}
        self._lock = threading.Lock()
        event.listen(engine, "do_connect", self._connect)

    def check(self) -> None:
        """Leave a file that has been replaced, so that the next connection opens its successor.

        Raises DatabaseFileGone; if the same file comes back, its connections are as good as before.
        """
        if self.opened is None or (found := _identify(self._path)) == self.opened:
            return
        if found is None:
            raise DatabaseFileGone(self._path)
        with self._lock:
            self._leave_if_replaced(_identify(self._path))

    def check_written(self, n_opened: int) -> None:
        """Raise DatabaseFileReplaced if what was just committed is not in the file that is there now."""
        if n_opened != self._n_opened or _identify(self._path) != self.opened:
            raise DatabaseFileReplaced(self._path)

    def open_beside(self) -> tuple[sqlite3.Connection, FileId]:
        """A connection that waits for no lock, to the file that the engine has open, with its log.

        Raises DatabaseFileGone if there is none, DatabaseFileReplaced, sqlite3.Error.
        """
        if (opened := self.opened) is None:
            raise DatabaseFileGone(self._path)
        connection = sqlite3.connect(self._name(), uri=True, timeout=0, isolation_level=None)
        if _identify(self._path) != opened:
            connection.close()
            raise DatabaseFileReplaced(self._path)
        return connection, opened

    def _name(self) -> str:
        """By which what was deleted is not made anew."""
        return f"file:{quote(str(self._path))}?mode=rw"

    def _connect(
        self,
        dialect: Dialect,
        record: ConnectionPoolEntry,
        arguments: list[Any],
        options: dict[str, Any],
    ) -> Any:
        with self._lock:
            found = _identify(self._path)
            self._leave_if_replaced(found)
            if self._n_opened:
                arguments[0], options["uri"] = self._name(), True
            connection = dialect.connect(*arguments, **options)  # opens the file, and no log yet
            opened = _identify(self._path)
            if (self.opened or found) not in (None, opened):
                connection.close()
                raise DatabaseFileReplaced(self._path)
            _configure(connection)
            # Opens the log now: later it may be the log of another file.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            if self.opened is None:
                self._remember(opened)
            record.info[N_OPENED] = self._n_opened
            return connection

    def _remember(self, opened: FileId | None) -> None:
        paths = (Path(f"{self._path}{suffix}") for suffix in (WRITE_AHEAD_LOG, INDEX_OF_LOG))
        self._logs = {path: _identify(path) for path in paths}
        self.opened = opened
        self._n_opened += 1

    def _leave_if_replaced(self, found: FileId | None) -> None:
        if self.opened is None or found in (None, self.opened):
            return
        self._engine.dispose()
        self.opened = None
        for path, known in self._logs.items():
            if known is None or _identify(path) != known:
                continue  # the log that another process has begun beside the new file
            if path.name.endswith(WRITE_AHEAD_LOG) and path.stat().st_size:
                aside = path.rename(f"{path}.{known[1]}")
                log.warning("sqlite_log_put_aside", path=str(aside), of="the file that was replaced")
            else:
                path.unlink()


class InlineConnection:
    """Answers short queries in the thread of its caller: in 6 µs each, where a thread and a session take 300.

    For one thread. It waits for no lock and raises nothing: whoever gets None asks a session instead.
    """

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._opened: FileId | None = None
        self._connection: sqlite3.Connection | None = None

    def fetch(self, *queries: Query) -> list[Rows] | None:
        """The rows of each query as of now, all of one moment, with what everyone has committed.

        None if it cannot tell, or if a query has more than MOST_INLINE_ROWS.
        """
        try:
            with self._reading() as connection:
                found = [connection.execute(*query).fetchmany(MOST_INLINE_ROWS + 1) for query in queries]
        except (sqlite3.Error, CatalogError):
            self.close()
            return None
        return None if any(len(rows) > MOST_INLINE_ROWS for rows in found) else found

    def close(self) -> None:
        """Close the connection; the next look-up opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = self._connect()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            # Ends what has more rows, too: else the log could not shrink.
            connection.execute("ROLLBACK")

    def _connect(self) -> sqlite3.Connection:
        self._file.check()
        if self._connection is None or self._opened != self._file.opened:
            self.close()
            self._connection, self._opened = self._file.open_beside()
        return self._connection


def open_sqlite(url: URL) -> tuple[Engine, DatabaseFile | None]:
    """An engine, and its file if it has one, whose folder is created."""
    engine = create_engine(url, hide_parameters=True)  # as in catalog.database
    event.listen(engine, "begin", _begin)
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        event.listen(engine, "connect", lambda connection, _record: _configure(connection))
        return engine, None
    path = Path(name).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    return engine, DatabaseFile(path, engine)


def _identify(path: Path) -> FileId | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _configure(connection: Any) -> None:
    # The driver must not open transactions by itself: it would leave reads and DDL outside of them.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
