"""What every change by an operator has in common: it takes its turn, and is published."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from catalog.errors import BookUnknown, EditConflict
from catalog.identity import lock_catalog, renew_state
from catalog.jobs import DEBOUNCE_S, JobKind, enqueue
from catalog.tables import Book


@contextmanager
def changing(session: Session) -> Iterator[Connection]:
    """One change: no import or other change comes between, and afterwards caches and the worker know of it.

    Every list that is cached becomes stale, since any may show what has changed.
    """
    connection = session.connection()
    lock_catalog(connection)
    yield connection
    session.flush()
    renew_state(connection)
    enqueue(session, JobKind.REFRESH, delay_s=DEBOUNCE_S)


def check_current(connection: Connection, book_id: int) -> None:
    """Raise BookUnknown, or EditConflict for a book that is part of another one."""
    found = connection.execute(select(Book.replaced_by).where(Book.book_id == book_id)).one_or_none()
    if found is None:
        raise BookUnknown(book_id)
    if found.replaced_by is not None:
        raise EditConflict(
            f"book {book_id} is part of book {found.replaced_by} by now: change that one, or undo the merge "
            f"with `bookmesh books split {book_id}`",
            book_id=found.replaced_by,
        )
