"""Writes and takes back a reader's ratings; the reader's revision changes in the same transaction.

Use these within `db.write`. They lock the book, then the reader, then the rating, in the order of imports and
merges, so that no two wait for one another.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from catalog.books import find_all_current, find_current
from catalog.bulk import RowWriter
from catalog.database import count_changed
from catalog.errors import BooksUnknown
from catalog.tables import Book, BookSubject, Rating, Subject, WithdrawnRating
from catalog.users import bump_revision

N_SUBJECTS: Final = 10
"""Of which statistics tell."""


@dataclass(frozen=True, slots=True)
class SubjectShare:
    """A subject of a reader's books."""

    name: str
    n_books: int
    mean_rating: float | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a reader has read, in numbers."""

    n_books: int
    n_rated: int
    mean_rating: float | None
    n_by_rating: dict[int, int]
    """By mark, 1 to 10; halves count upwards."""
    subjects: tuple[SubjectShare, ...]
    """Those of most of the reader's books; generic ones, which tell nothing, left out."""


def put_rating(session: Session, user_id: int, book_id: int, rating: float | None) -> bool:
    """Set a rating (1 to 10, or None: read, not judged); True if there was none before.

    A book that was replaced passes its rating on to its heir. Raises UserUnknown, or BookUnknown, which a
    hidden book is too.
    """
    book_id = find_current(session, book_id, is_shown=True)
    bump_revision(session, user_id)  # its row lock makes writers of one reader take turns
    return _put(session, user_id, book_id, rating)


def put_ratings(session: Session, user_id: int, given: Mapping[int, float | None]) -> tuple[int, int]:
    """Set many ratings, or none; how many were not there before, and how many were.

    Raises UserUnknown, or BooksUnknown, which hidden books are too.
    """
    current = find_all_current(session, given)
    if unknown := [book_id for book_id in given if book_id not in current]:
        raise BooksUnknown(unknown)
    ratings = {current[book_id]: rating for book_id, rating in given.items()}
    bump_revision(session, user_id)
    _forget_withdrawals(session, user_id, ratings)
    stored = set(
        session.scalars(select(Rating.book_id).where(Rating.user_id == user_id, Rating.book_id.in_(ratings)))
    )
    now = int(time.time())
    same = {"rated_at": now, "given_here": True}
    connection = session.connection()
    key = ("user_id", "book_id")
    updating = RowWriter.updating(connection, Rating, "rating", where=key, **same)
    updating.extend((rating, user_id, book_id) for book_id, rating in ratings.items() if book_id in stored)
    inserting = RowWriter.inserting(connection, Rating, "rating", *key, **same, created_at=now)
    inserting.extend(
        (rating, user_id, book_id) for book_id, rating in ratings.items() if book_id not in stored
    )
    return len(ratings) - len(stored), len(stored)


def delete_rating(session: Session, user_id: int, book_id: int) -> bool:
    """Remove a rating, that of its heir if the book was replaced; False if there was none.

    No later import brings it back, unless with a date after this. Raises UserUnknown or BookUnknown.
    """
    book_id = find_current(session, book_id)
    bump_revision(session, user_id)
    if not count_changed(session, delete(Rating).where(*_is(user_id, book_id))):
        return False
    _forget_withdrawals(session, user_id, [book_id])
    now = int(time.time())
    session.execute(insert(WithdrawnRating).values(user_id=user_id, book_id=book_id, withdrawn_at=now))
    return True


def count_books(session: Session, user_id: int) -> int:
    """How many books a reader has read."""
    return session.scalar(select(func.count()).select_from(Rating).where(Rating.user_id == user_id)) or 0


def read_statistics(session: Session, user_id: int) -> Statistics:
    """What a reader has read, in numbers."""
    given = session.scalars(select(Rating.rating).where(Rating.user_id == user_id)).all()
    marks = [rating for rating in given if rating is not None]
    n_books = func.count()
    subjects = session.execute(
        select(Subject.name, n_books, func.avg(Rating.rating))
        .join(BookSubject, BookSubject.subject_id == Subject.subject_id)
        .join(Rating, Rating.book_id == BookSubject.book_id)
        .where(Rating.user_id == user_id, Subject.is_generic.is_(False))
        .group_by(Subject.subject_id, Subject.name)
        .order_by(n_books.desc(), Subject.name)
        .limit(N_SUBJECTS)
    )
    return Statistics(
        n_books=len(given),
        n_rated=len(marks),
        mean_rating=_round(sum(marks) / len(marks) if marks else None),
        n_by_rating=dict(sorted(Counter(int(mark + 0.5) for mark in marks).items())),
        subjects=tuple(
            SubjectShare(name, n, None if mean is None else round(float(mean), 2))
            for name, n, mean in subjects
        ),
    )


def count_readers(session: Session) -> dict[int, int]:
    """How many readers each book has, of those that have any."""
    counted = session.execute(select(Rating.book_id, func.count()).group_by(Rating.book_id))
    return {int(book_id): int(n) for book_id, n in counted}


def _round(mean: float | None) -> float | None:
    return None if mean is None else round(float(mean), 2)  # MariaDB's is a Decimal


def _put(session: Session, user_id: int, book_id: int, rating: float | None) -> bool:
    _forget_withdrawals(session, user_id, [book_id])
    now = int(time.time())
    values = {"rating": rating, "rated_at": now, "given_here": True}
    if count_changed(session, update(Rating).where(*_is(user_id, book_id)).values(values)):
        return False
    session.execute(insert(Rating).values(user_id=user_id, book_id=book_id, created_at=now, **values))
    return True


def _forget_withdrawals(session: Session, user_id: int, book_ids: Collection[int]) -> None:
    """That a reader took back ratings of books, or of those that are their editions by now."""
    editions = select(Book.book_id).where(or_(Book.book_id.in_(book_ids), Book.replaced_by.in_(book_ids)))
    of_user = WithdrawnRating.user_id == user_id
    session.execute(delete(WithdrawnRating).where(of_user, WithdrawnRating.book_id.in_(editions)))


def _is(user_id: int, book_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Rating.user_id == user_id, Rating.book_id == book_id
