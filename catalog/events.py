"""Records what readers did besides rating, and takes back what they take back.

Use these within `db.write`. They lock the books, then the reader, as ratings do. The reader's revision
changes if their lists may, and only then: not for what they were shown, nor for what they had done before.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, select
from sqlalchemy.orm import Session

from catalog.books import find_all_current, find_current
from catalog.errors import BookRated, BookUnknown
from catalog.tables import Book, Event, EventKind, MergedEvent, Rating, WithdrawnEvent
from catalog.users import bump_revision, lock_user

_LASTING: Final = frozenset({EventKind.LIKE, EventKind.TO_READ, EventKind.DISMISS})
"""These hold from the first time on, so each is stored once of a reader and a book."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something a reader did, with the names of `Event`."""

    book_id: int
    kind: EventKind
    at: int
    list_id: str | None = None
    surface: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of some events."""

    n_new: int
    n_known: int
    """They were stored before, or stand among the new ones twice."""
    unknown: tuple[int, ...]
    """Books that are not there or hidden: nothing is stored of them."""
    new: tuple[NewEvent, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class MarkedBook:
    """A book that a reader has dismissed, or wants to read."""

    book_id: int
    at: int
    """The last time; 0 if no dump told."""


def record(session: Session, user_id: int, given: Sequence[NewEvent]) -> Recorded:
    """Store events of books that are there, but none twice; those of replaced books go to their heirs.

    Of impressions one counts per list and book. Raises UserUnknown.
    """
    current = find_all_current(session, {each.book_id for each in given})
    unknown = tuple(sorted({each.book_id for each in given} - current.keys()))
    lock_user(session, user_id)
    stored = list(_read_stored(session, user_id, given, set(current.values())))
    known = {_identify(*row) for row in stored}
    known_pairs = {(book_id, kind) for book_id, kind, _, _ in stored}
    rows, new = list[dict[str, Any]](), list[NewEvent]()
    for each in given:
        if (book_id := current.get(each.book_id)) is not None:
            identity = _identify(book_id, each.kind, each.list_id, each.at)
            if identity not in known:
                known.add(identity)
                rows.append(_build_row(user_id, book_id, each))
                new.append(each)
    if rows:
        session.connection().execute(insert(Event), rows)
    if any(
        row["kind"] != EventKind.IMPRESSION and (row["book_id"], row["kind"]) not in known_pairs
        for row in rows
    ):
        bump_revision(session, user_id)
    n_of_books = sum(each.book_id in current for each in given)
    return Recorded(len(rows), n_of_books - len(rows), unknown, tuple(new))


def mark(session: Session, user_id: int, book_id: int, kind: EventKind) -> bool:
    """That a reader dismisses a book or wants to read it; True if they did not before.

    Raises UserUnknown or BookUnknown, also for a hidden book.
    """
    recorded = record(session, user_id, [NewEvent(book_id, kind, int(time.time()))])
    if recorded.unknown:
        raise BookUnknown(book_id)
    return recorded.n_new > 0


def dismiss(session: Session, user_id: int, book_id: int) -> bool:
    """Never show this book to this reader again, nor its heir if it was replaced; see `mark`."""
    return mark(session, user_id, book_id, EventKind.DISMISS)


def shelve(session: Session, user_id: int, book_id: int) -> bool:
    """Put a book on a reader's shelf of those to read; see `mark`. Raises BookRated too."""
    is_new = mark(session, user_id, book_id, EventKind.TO_READ)
    current = find_current(session, book_id)
    if session.scalar(select(Rating.book_id).filter_by(user_id=user_id, book_id=current)) is not None:
        raise BookRated(user_id, book_id)
    return is_new


def unmark(session: Session, user_id: int, book_id: int, kind: EventKind) -> bool:
    """Take back that a reader dismissed a book or wants to read it; False if they did not.

    No later import brings it back, unless with a date after this. Raises UserUnknown or BookUnknown.
    """
    book_id = find_current(session, book_id)
    lock_user(session, user_id)
    marks = select(Event.event_id).filter_by(user_id=user_id, book_id=book_id, kind=kind)
    event_ids = session.scalars(marks).all()
    if not event_ids:
        return False
    # What a merge keeps goes along: SQLite may give the number to another reader's event.
    for table in (MergedEvent, Event):
        session.execute(delete(table).where(table.event_id.in_(event_ids)))
    _note_withdrawal(session, user_id, book_id, kind)
    bump_revision(session, user_id)
    return True


def read_marked(
    session: Session, user_id: int, kind: EventKind, *, limit: int, offset: int
) -> tuple[int, list[MarkedBook]]:
    """How many shown books a reader has dismissed or wants to read, and a page of them, newest first.

    Who has rated a book does not want to read it any more.
    """
    conditions = [Event.user_id == user_id, Event.kind == kind, Book.hidden.is_(None)]
    if kind == EventKind.TO_READ:
        conditions.append(~exists().where(Rating.user_id == user_id, Rating.book_id == Event.book_id))
    at = func.max(func.coalesce(Event.at, Event.created_at, 0))
    books = select(Event.book_id, at).join(Book, Book.book_id == Event.book_id).where(*conditions)
    page = books.group_by(Event.book_id).order_by(at.desc(), func.max(Event.event_id).desc())
    total = select(func.count(Event.book_id.distinct())).join(Book, Book.book_id == Event.book_id)
    return (
        session.scalar(total.where(*conditions)) or 0,
        [MarkedBook(*row) for row in session.execute(page.limit(limit).offset(offset))],
    )


def _note_withdrawal(session: Session, user_id: int, book_id: int, kind: EventKind) -> None:
    """Of the book, and of each that is part of it by now and may be split off again."""
    parts = session.scalars(select(Book.book_id).where(Book.replaced_by == book_id))
    book_ids, now = [book_id, *parts], int(time.time())
    same = {"user_id": user_id, "kind": kind}
    session.execute(delete(WithdrawnEvent).filter_by(**same).where(WithdrawnEvent.book_id.in_(book_ids)))
    session.execute(
        insert(WithdrawnEvent), [{**same, "book_id": each, "withdrawn_at": now} for each in book_ids]
    )


def _read_stored(
    session: Session, user_id: int, given: Iterable[NewEvent], book_ids: Collection[int]
) -> Iterable[Any]:
    """(book_id, kind, list_id, at) of what a reader did with these books that may be what is given."""
    kinds = {each.kind for each in given if each.kind != EventKind.IMPRESSION}
    lists = {each.list_id for each in given if each.kind == EventKind.IMPRESSION}
    columns = select(Event.book_id, Event.kind, Event.list_id, Event.at)
    for wanted in _list_wanted(kinds, lists):
        rows = columns.where(Event.user_id == user_id, Event.book_id.in_(book_ids), wanted)
        yield from session.connection().execute(rows)


def _list_wanted(kinds: Collection[str], lists: Collection[str | None]) -> Iterable[ColumnElement[bool]]:
    """One condition for each index that finds some."""
    if kinds:
        yield Event.kind.in_(kinds)
    if lists:
        yield and_(Event.kind == EventKind.IMPRESSION, Event.list_id.in_(lists))


def _identify(book_id: int, kind: str, list_id: str | None, at: int | None) -> tuple[object, ...]:
    """By what an event is recognised that came before."""
    if kind in _LASTING:
        return book_id, kind
    if kind == EventKind.IMPRESSION:
        return book_id, kind, list_id
    return book_id, kind, list_id, at


def _build_row(user_id: int, book_id: int, event: NewEvent) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "book_id": book_id,
        "kind": event.kind,
        "at": event.at,
        "created_at": int(time.time()),
        "list_id": event.list_id,
        "surface": event.surface,
        "position": event.position,
    }
