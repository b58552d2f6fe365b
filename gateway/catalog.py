"""The SQL catalog from asynchronous code: each query in a worker thread, with a time limit."""

import asyncio
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypeVar

import anyio
import anyio.to_thread
import structlog
from cachetools import LRUCache
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from catalog import authors, books, events, preferences, ratings, subjects, users
from catalog.books import BookRow
from catalog.database import Database, count_opened
from catalog.editing.authors import AuthorRow
from catalog.errors import (
    AuthorsUnknown,
    BookRated,
    BooksUnknown,
    BookUnknown,
    DatabaseFileGone,
    DatabaseFileReplaced,
    DatabaseNotMigrated,
    DatabaseUrlInvalid,
    IsbnInvalid,
    UserUnknown,
)
from catalog.events import MarkedBook, NewEvent, Recorded
from catalog.identity import read_state
from catalog.isbn import parse_isbn
from catalog.ratings import Statistics
from catalog.schema import check_migrated
from catalog.subjects import SubjectRow
from catalog.tables import EventKind
from catalog.users import InlineUsers, UserProfile
from gateway.deadline import Deadline
from gateway.errors import (
    AlreadyRated,
    AuthorNotFound,
    BookNotFound,
    CatalogUnavailable,
    NotAnIsbn,
    UnknownAuthors,
    UnknownBooks,
    UserNotFound,
)
from gateway.mesh.breaker import CircuitBreaker
from gateway.metrics import GatewayMetrics

ResultT = TypeVar("ResultT")

log = structlog.get_logger()

MOST_READS: Final = 8
MOST_WRITES: Final = 4
"""At once; together fewer than the connections that SQLAlchemy's pool has, so that none waits for one."""
CATALOG: Final = "catalog"
"""As responses name it among what was lost."""
GARBLED: Final = (AssertionError, IndexError, UnicodeError, struct.error)
"""What PyMySQL raises if what comes is no answer of a MySQL server."""
PATIENCE_S: Final = 35
"""Longer than any write may wait for another one's lock: only then is a server that says nothing lost."""
CLOCK_TOLERANCE_S: Final = 0.01
"""The event loop's clock ticks in milliseconds: whoever waits gives up after the thread, never before."""
COMMIT_TIMEOUT_S: Final = 2.0
"""How much longer a write that is being committed is waited for."""


class Catalog:
    """What the gateway reads and writes; all methods raise CatalogUnavailable if it does not answer.

    Work that runs out of time ends by itself in its thread, where it keeps its place until then. A write is
    not committed once its caller has been given an error; docs/errors.md tells what remains uncertain.
    """

    def __init__(
        self,
        db: Database,
        metrics: GatewayMetrics,
        *,
        breaker: CircuitBreaker,
        write_timeout_s: float,
        cached_users: int,
    ) -> None:
        """Its `breaker` is for reads: whoever writes has no other way."""
        self._db = db
        self._breaker = breaker
        self._read_seconds = metrics.catalog_seconds.labels("read")
        self._write_seconds = metrics.catalog_seconds.labels("write")
        self._write_timeout_s = write_timeout_s
        self._reading = asyncio.Semaphore(MOST_READS)
        self._writing = asyncio.Semaphore(MOST_WRITES)
        self._threads = anyio.CapacityLimiter(MOST_READS + MOST_WRITES)
        self._users: LRUCache[int, UserProfile] = LRUCache(cached_users)
        self._inline = InlineUsers(db)
        self._n_opened = 1
        self.state: str | None = None
        """Names the catalog as of its last import; None until it was looked at."""
        self._former_ids: Mapping[int, set[int]] = {}
        self.heirs: Mapping[int, int] = {}
        """The book that every merged one is part of in that state."""
        self.withdrawn: frozenset[int] = frozenset()
        """Books that must not be shown in that state, although versions may still know them."""

    def former_ids(self, book_ids: Collection[int]) -> frozenset[int]:
        """Ids of books that are part of these by now; a version trained before knows them."""
        return frozenset().union(*(self._former_ids.get(book_id, ()) for book_id in book_ids))

    async def look(self, deadline: Deadline) -> None:
        """Learn the state of the catalog, if it answers."""
        with suppress(CatalogUnavailable):
            await self.read(self._learn_state, deadline)

    async def read_user(self, user_id: int, deadline: Deadline) -> UserProfile:
        """The reader as of now: the revision is read every time, the rest only if it has changed."""
        known = self._users.get(user_id)
        if known is not None and known.revision == self._inline.find_revision(user_id):
            return known
        if (found := self._inline.find_profile(user_id)) is not None:
            self._users[user_id] = found
            return found

        def read(session: Session) -> UserProfile | None:
            if known is not None and known.revision == users.read_revision(session, user_id):
                return known
            return users.read_profile(session, user_id)

        def keep(user: UserProfile | None) -> None:
            if user is not None:
                self._users[user_id] = user

        user = await self.read(read, deadline, keep)
        if user is None:
            raise UserNotFound(user_id)
        return user

    async def recall_user(self, user_id: int, deadline: Deadline) -> UserProfile:
        """The reader as of now or, if the catalog does not tell, as they were last; it says who is to blame.

        Of whom nothing is kept, nothing is known. Raises UserNotFound.
        """
        try:
            return await self.read_user(user_id, deadline.share())
        except CatalogUnavailable as error:
            return replace(self._users.get(user_id, _nothing_of(user_id)), blamed=error.blamed)

    async def read_titles(self, book_ids: Collection[int], deadline: Deadline) -> dict[int, BookRow]:
        """Rows of the books that exist and are shown."""
        return await self.read(lambda session: books.read_titles(session, book_ids), deadline)

    async def find_by_isbn(self, isbn: str, deadline: Deadline) -> int:
        """The book that has an edition of this ISBN. Raises NotAnIsbn, BookNotFound."""
        try:
            isbn13 = parse_isbn(isbn)
        except IsbnInvalid as error:
            raise NotAnIsbn(error.text, error.reason) from error
        book_id = await self.read(lambda session: books.find_by_isbn(session, isbn13), deadline)
        if book_id is None:
            raise BookNotFound(f"with ISBN {isbn13}")
        return book_id

    async def read_subjects_of(self, book_ids: Collection[int], deadline: Deadline) -> list[str]:
        """Subjects of these books, those of most of them first."""
        return await self.read(lambda session: books.read_subjects_of(session, book_ids), deadline)

    async def read_subjects(self, deadline: Deadline) -> list[SubjectRow]:
        """Every subject that has books, the largest first, generic ones last."""
        return await self.read(subjects.list_subjects, deadline)

    async def resolve_authors(self, names: Sequence[str], deadline: Deadline) -> list[int]:
        """Ids of authors named in any spelling. Raises UnknownAuthors."""
        try:
            return await self.read(lambda session: preferences.find_authors(session, names), deadline)
        except AuthorsUnknown as error:
            raise UnknownAuthors(error.names) from error

    async def find_authors(
        self, prefix: str, limit: int, offset: int, deadline: Deadline
    ) -> tuple[list[AuthorRow], int]:
        """A page of the authors whose names begin so, by name, and how many there are."""
        return await self.read(
            lambda session: authors.find_authors(session, prefix=prefix, limit=limit, offset=offset), deadline
        )

    async def list_authors_of(self, book_id: int, deadline: Deadline) -> list[AuthorRow]:
        """Who wrote a book. Raises BookNotFound."""

        def read(session: Session) -> list[AuthorRow] | None:
            is_shown = book_id in books.read_titles(session, [book_id])
            return authors.list_authors_of(session, book_id) if is_shown else None

        found = await self.read(read, deadline)
        if found is None:
            raise BookNotFound(book_id)
        return found

    async def read_author(self, author_id: int, deadline: Deadline) -> str:
        """The name of an author. Raises AuthorNotFound."""
        name = await self.read(lambda session: authors.read_author(session, author_id), deadline)
        if name is None:
            raise AuthorNotFound(author_id)
        return name

    async def read_most_read(self, limit: int, deadline: Deadline) -> list[tuple[int, int]]:
        """(book_id, number of ratings) of the books with the most."""
        return await self.read(lambda session: books.read_most_read(session, limit), deadline)

    async def put_rating(self, user_id: int, book_id: int, rating: float | None) -> bool:
        """Set a rating; True if there was none before. Raises UserNotFound, BookNotFound."""
        return await self.write(lambda session: ratings.put_rating(session, user_id, book_id, rating))

    async def delete_rating(self, user_id: int, book_id: int) -> bool:
        """Remove a rating; False if there was none. Raises UserNotFound, BookNotFound."""
        return await self.write(lambda session: ratings.delete_rating(session, user_id, book_id))

    async def put_ratings(self, user_id: int, given: Mapping[int, float | None]) -> tuple[int, int]:
        """Set many ratings, or none; how many are new, and changed. Raises UserNotFound, UnknownBooks."""
        return await self.write(lambda session: ratings.put_ratings(session, user_id, given))

    async def read_statistics(self, user_id: int, deadline: Deadline) -> Statistics:
        """What a reader has read, in numbers."""
        return await self.read(lambda session: ratings.read_statistics(session, user_id), deadline)

    async def record_events(self, user_id: int, given: Sequence[NewEvent]) -> Recorded:
        """Store what a reader did, but nothing twice. Raises UserNotFound."""
        return await self.write(lambda session: events.record(session, user_id, given))

    async def dismiss(self, user_id: int, book_id: int) -> bool:
        """Show a reader a book no more; True if that is new. Raises UserNotFound, BookNotFound."""
        return await self.write(lambda session: events.dismiss(session, user_id, book_id))

    async def shelve(self, user_id: int, book_id: int) -> bool:
        """Put a book on a reader's shelf; True if that is new.

        Raises UserNotFound, BookNotFound, AlreadyRated.
        """
        return await self.write(lambda session: events.shelve(session, user_id, book_id))

    async def unmark(self, user_id: int, book_id: int, kind: EventKind) -> bool:
        """Take a dismissal back, or a book off the shelf; False if there was none.

        Raises UserNotFound, BookNotFound.
        """
        return await self.write(lambda session: events.unmark(session, user_id, book_id, kind))

    async def read_marked(
        self, user_id: int, kind: EventKind, limit: int, offset: int, deadline: Deadline
    ) -> tuple[int, list[MarkedBook]]:
        """How many books a reader has dismissed or put on the shelf, and a page of them, newest first."""
        return await self.read(
            lambda session: events.read_marked(session, user_id, kind, limit=limit, offset=offset), deadline
        )

    def close(self) -> None:
        """Close the connections to the database."""
        self._inline.close()
        self._db.close()

    async def read(
        self,
        query: Callable[[Session], ResultT],
        deadline: Deadline,
        keep: Callable[[ResultT], None] | None = None,
    ) -> ResultT:
        """What a query answers; `keep` gets it even if it comes too late, so the next caller waits less."""
        if not self._breaker.allows():
            raise CatalogUnavailable("it failed too often and is left alone for a while")
        started_s, given_s = time.monotonic(), deadline.remaining_s()
        try:
            result = await self._run(query, self._reading, timeout_s=given_s, write=False, keep=keep)
        except TimeoutError as error:
            blamed = deadline.find_slow(CATALOG, given_s)
            self._breaker.failed() if blamed == CATALOG else self._breaker.abandoned()
            raise CatalogUnavailable(f"no answer within {given_s * 1000:.0f} ms", blamed=blamed) from error
        except CatalogUnavailable:
            self._breaker.failed()
            raise
        except BaseException:
            self._breaker.abandoned()
            raise
        else:
            self._breaker.succeeded()
            return result
        finally:
            seconds = time.monotonic() - started_s
            deadline.charge(CATALOG, seconds)
            self._read_seconds.observe(seconds)

    async def write(self, change: Callable[[Session], ResultT], *, timeout_s: float | None = None) -> ResultT:
        """What a change answers, committed. Raises UserNotFound, BookNotFound, UnknownBooks, AlreadyRated."""
        timeout_s = timeout_s or self._write_timeout_s
        try:
            with self._write_seconds.time():
                result = await self._run(change, self._writing, timeout_s=timeout_s, write=True)
            self._breaker.succeeded()
            return result
        except TimeoutError as error:
            raise CatalogUnavailable(f"no answer within {timeout_s} s") from error
        except UserUnknown as error:
            raise UserNotFound(error.user_id) from error
        except BookUnknown as error:
            raise BookNotFound(error.book_id) from error
        except BooksUnknown as error:
            raise UnknownBooks(error.book_ids) from error
        except BookRated as error:
            raise AlreadyRated(error.user_id, error.book_id) from error

    async def _run(
        self,
        work: Callable[[Session], ResultT],
        places: asyncio.Semaphore,
        *,
        timeout_s: float,
        write: bool,
        keep: Callable[[ResultT], None] | None = None,
    ) -> ResultT:
        """The result of work in a session of its own. Raises TimeoutError, and then nothing is committed."""
        give_up_at_s = time.monotonic() + timeout_s
        committing = threading.Event()

        def check_wanted() -> None:
            if time.monotonic() >= give_up_at_s:
                raise TimeoutError

        def work_in_time(session: Session) -> ResultT:
            committing.clear()  # a write that lost a deadlock is done again
            check_wanted()  # it may have waited for another one's lock
            if count_opened(session) != self._n_opened:
                self._check_successor(session)
            try:
                result = work(session)
            except GARBLED:
                session.invalidate()  # the rest of it would be taken for the next answer
                raise
            if write:
                committing.set()  # before the clock is looked at, so that no caller gives up in between
                check_wanted()
            return result

        def in_session() -> ResultT:
            check_wanted()
            if write:
                return self._db.write(work_in_time)
            with self._db.session() as session:
                return work_in_time(session)

        def finish(thread: asyncio.Future[ResultT]) -> None:
            places.release()
            # Asked of each: who waited for it may have gone.
            if not thread.cancelled() and thread.exception() is None and keep is not None:
                keep(thread.result())

        # Not by the limiter of the threads: whoever gives up here does not go on standing in line.
        async with asyncio.timeout(timeout_s):
            await places.acquire()
        thread = asyncio.ensure_future(anyio.to_thread.run_sync(in_session, limiter=self._threads))
        thread.add_done_callback(finish)
        try:
            return await _wait(thread, give_up_at_s - time.monotonic(), committing)
        except (SQLAlchemyError, DatabaseUrlInvalid) as error:
            raise CatalogUnavailable(type(error).__name__) from error
        except GARBLED as error:
            log.warning("catalog_garbled", exc_info=error)  # or a mistake of ours
            raise CatalogUnavailable("what answers is no such database") from error
        except DatabaseNotMigrated as error:
            raise CatalogUnavailable("its tables are not those of this release") from error
        except (DatabaseFileGone, DatabaseFileReplaced) as error:
            raise CatalogUnavailable("its file was deleted or replaced") from error

    def _check_successor(self, session: Session) -> None:
        """What took the place of the catalog may be an older one, or none."""
        check_migrated(self._db, session.connection())
        self._learn_state(session)
        self._n_opened = count_opened(session)

    def _learn_state(self, session: Session) -> None:
        state = read_state(session)
        if state == self.state:
            return
        heirs, former_ids = books.read_heirs(session), defaultdict[int, set[int]](set)
        for book_id, heir_id in heirs.items():
            former_ids[heir_id].add(book_id)
        self.withdrawn = books.read_withdrawn(session)
        self.state, self.heirs, self._former_ids = state, heirs, former_ids


def _nothing_of(user_id: int) -> UserProfile:
    nobody: frozenset[int] = frozenset()
    return UserProfile(user_id, "", (), (), nobody, nobody, nobody, (), (), nobody, ())


async def _wait(thread: asyncio.Future[ResultT], timeout_s: float, committing: threading.Event) -> ResultT:
    """The thread's result in time, or a little later if it is being committed."""
    try:
        async with asyncio.timeout(timeout_s + CLOCK_TOLERANCE_S):
            return await asyncio.shield(thread)
    except TimeoutError:
        if not committing.is_set():
            raise
    async with asyncio.timeout(COMMIT_TIMEOUT_S):
        return await asyncio.shield(thread)
