"""Writes a matched library: what is sure at once, what is unsure for the reader to tell.

Use these within `db.write`: all of one library lands in one transaction, and the reader's revision changes if
anything did. They lock books, then the reader, then ratings, as all who write these do.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.books import find_current
from catalog.bulk import RowWriter
from catalog.library.candidates import CURRENT_ID, read_parts
from catalog.library.matching import Match
from catalog.library.records import ExportRow, Shelf
from catalog.library.review import drop_reviews, keep_reviews, make_key, read_settled, settle_review
from catalog.tables import Book, Event, EventKind, Rating, WithdrawnEvent, WithdrawnRating
from catalog.users import bump_revision, lock_user

_EVENTS: Final = {Shelf.TO_READ: EventKind.TO_READ, Shelf.ABANDONED: EventKind.DISMISS}
"""What a book without a rating is on these shelves; on others it was read and not judged."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the rows; each counts once."""

    new: int
    """Books that the reader had not rated or wanted to read."""
    changed: int
    unchanged: int
    """As they are, or rated or taken back here since."""
    to_review: int
    """The reader is asked which books these are."""
    not_found: int
    """The catalog has nothing like them, or the reader has said that it is none of its books."""


class _Stored(NamedTuple):
    rating: float | None
    rated_at: int | None


def write_library(session: Session, user_id: int, matches: Sequence[Match]) -> Outcome:
    """Write all rows of a library. Raises UserUnknown."""
    settled = read_settled(session, user_id)
    found, unsure = list[tuple[int, ExportRow]](), list[Match]()
    for match in matches:
        key = make_key(match.row)
        if key in settled:
            found += [(book_id, match.row) for book_id in (settled[key],) if book_id is not None]
        elif match.is_sure:
            found.append((match.guesses[0].book_id, match.row))
        elif match.guesses:
            unsure.append(match)
    current = _lock_current(session, {book_id for book_id, _ in found})
    lock_user(session, user_id)
    keep_reviews(session, user_id, unsure)
    drop_reviews(session, user_id, {make_key(row) for _, row in found})
    new, changed = _write_rows(session, user_id, [(current[i], row) for i, row in found if i in current])
    return Outcome(
        new=new,
        changed=changed,
        unchanged=len(found) - new - changed,
        to_review=len(unsure),
        not_found=len(matches) - len(found) - len(unsure),
    )


def settle_row(session: Session, user_id: int, row_id: int, book_id: int | None) -> None:
    """Write a row as the book that the reader says it is; None: it is none of the catalog's.

    Raises UserUnknown, LibraryRowUnknown, or BookUnknown, which a hidden book is too.
    """
    if book_id is not None:
        book_id = find_current(session, book_id, is_shown=True)
    lock_user(session, user_id)
    row = settle_review(session, user_id, row_id, book_id)
    if book_id is not None:
        described = ExportRow(0, row.title, (row.author,), row.isbn, None, row.shelf, row.rating, row.read_at)
        _write_rows(session, user_id, [(book_id, described)])


def _write_rows(session: Session, user_id: int, rows: Iterable[tuple[int, ExportRow]]) -> tuple[int, int]:
    """Write what rows say of their books; how many are new, and how many change what was there."""
    of_book = dict(sorted(rows, key=_place))
    rated = {i: row for i, row in of_book.items() if row.rating is not None or row.shelf not in _EVENTS}
    n_new, n_changed = _write_ratings(session, user_id, rated)
    n_events = _write_events(session, user_id, {i: row for i, row in of_book.items() if i not in rated})
    if n_new or n_changed or n_events:
        bump_revision(session, user_id)
    return n_new + n_events, n_changed


def _place(pair: tuple[int, ExportRow]) -> tuple[bool, int, float, int]:
    """Of several rows of one book the last counts: one that was read, the newest, the highest rating."""
    _, row = pair
    return row.rating is not None or row.shelf not in _EVENTS, row.at or 0, row.rating or 0.0, -row.line


def _write_ratings(session: Session, user_id: int, rows: Mapping[int, ExportRow]) -> tuple[int, int]:
    stored = {
        book_id: _Stored(rating, rated_at)
        for book_id, rating, rated_at in session.execute(
            select(Rating.book_id, Rating.rating, Rating.rated_at).filter_by(user_id=user_id)
        )
    }
    wanted = _forget_withdrawn(session, user_id, rows)
    new = {i: row for i, row in rows.items() if i in wanted - stored.keys()}
    changed = {i: row for i, row in rows.items() if i in wanted & stored.keys() and _replaces(row, stored[i])}
    connection, columns = session.connection(), ("rating", "rated_at", "given_here")
    known = {"user_id": user_id, "created_at": int(time.time())}
    RowWriter.inserting(connection, Rating, *columns, "book_id", **known).extend(
        (row.rating, row.at, True, book_id) for book_id, row in new.items()
    )
    RowWriter.updating(connection, Rating, *columns, where=["user_id", "book_id"]).extend(
        (row.rating, row.at, True, user_id, book_id) for book_id, row in changed.items()
    )
    return len(new), len(changed)


def _replaces(row: ExportRow, stored: _Stored) -> bool:
    """Whether a row's stars count more than what is there: a newer judgement, or the first one."""
    if row.rating is None or row.rating == stored.rating:
        return False
    if stored.rating is None or stored.rated_at is None:
        return True
    return row.at is not None and row.at >= stored.rated_at


def _write_events(session: Session, user_id: int, rows: Mapping[int, ExportRow]) -> int:
    known = set(session.scalars(select(Rating.book_id).filter_by(user_id=user_id)))
    stored = session.execute(
        select(Event.book_id, Event.kind).where(Event.user_id == user_id, Event.kind.in_(_EVENTS.values()))
    )
    done = {(book_id, kind) for book_id, kind in stored}
    known |= {book_id for book_id, kind in done if kind == EventKind.DISMISS}
    undone = _read_undone(session, user_id)
    new = [
        (book_id, kind, row.at)
        for book_id, row in rows.items()
        for kind in (_EVENTS[row.shelf],)
        if book_id not in known
        and (book_id, kind) not in done
        and (row.at or 0) > undone.get((book_id, kind), -1)
    ]
    RowWriter.inserting(
        session.connection(), Event, "book_id", "kind", "at", user_id=user_id, created_at=int(time.time())
    ).extend(new)
    return len(new)


def _read_undone(session: Session, user_id: int) -> dict[tuple[int, str], int]:
    """When the reader took back what they had done, by book and kind."""
    undone = session.execute(
        select(CURRENT_ID, WithdrawnEvent.kind, WithdrawnEvent.withdrawn_at)
        .join(Book, WithdrawnEvent.book_id == Book.book_id)
        .where(WithdrawnEvent.user_id == user_id)
        .order_by(WithdrawnEvent.withdrawn_at)
    )
    return {(book_id, kind): at for book_id, kind, at in undone}


def _lock_current(session: Session, book_ids: Iterable[int]) -> Mapping[int, int]:
    """The books, or what has replaced them since they were found; until the transaction ends they stay so."""
    books = select(Book.book_id, CURRENT_ID)
    current = {row[0]: row[1] for row in read_parts(session, books, Book.book_id, set(book_ids))}
    shown = select(Book.book_id).where(Book.hidden.is_(None), Book.replaced_by.is_(None))
    locking = shown.with_for_update(read=True, key_share=True)
    locked = {row[0] for row in read_parts(session, locking, Book.book_id, set(current.values()))}
    return {own_id: book_id for own_id, book_id in current.items() if book_id in locked}


def _forget_withdrawn(session: Session, user_id: int, rows: Mapping[int, ExportRow]) -> set[int]:
    """Of these books the ones of which the reader has taken no rating back since; forget those of before."""
    withdrawn = session.execute(
        select(WithdrawnRating.book_id, CURRENT_ID, WithdrawnRating.withdrawn_at)
        .join(Book, WithdrawnRating.book_id == Book.book_id)
        .where(WithdrawnRating.user_id == user_id)
    ).all()
    later = {book_id for _, book_id, at in withdrawn if book_id in rows and (rows[book_id].at or 0) <= at}
    wanted = rows.keys() - later
    before = [own_id for own_id, book_id, _ in withdrawn if book_id in wanted]
    of_user = WithdrawnRating.user_id == user_id
    session.execute(delete(WithdrawnRating).where(of_user, WithdrawnRating.book_id.in_(before)))
    return wanted
