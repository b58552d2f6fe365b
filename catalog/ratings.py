"""Writes and takes back a reader's ratings; the reader's revision changes in the same transaction.

Use these within `db.write`. They lock the book, then the reader, then the rating, in the order of imports and
merges, so that no two wait for one another.
"""

import time

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from catalog.books import find_current
from catalog.database import count_changed
from catalog.tables import Book, Rating, WithdrawnRating
from catalog.users import bump_revision


def put_rating(session: Session, user_id: int, book_id: int, rating: float | None) -> bool:
    """Set a rating (1 to 10, or None: read, not judged); True if there was none before.

    A book that was replaced passes its rating on to its heir. Raises UserUnknown, or BookUnknown, which a
    hidden book is too.
    """
    book_id = find_current(session, book_id, is_shown=True)
    bump_revision(session, user_id)  # its row lock makes writers of one reader take turns
    _forget_withdrawals(session, user_id, book_id)
    now = int(time.time())
    values = {"rating": rating, "rated_at": now, "given_here": True}
    if count_changed(session, update(Rating).where(*_is(user_id, book_id)).values(values)):
        return False
    session.execute(insert(Rating).values(user_id=user_id, book_id=book_id, created_at=now, **values))
    return True


def delete_rating(session: Session, user_id: int, book_id: int) -> bool:
    """Remove a rating, that of its heir if the book was replaced; False if there was none.

    No later import brings it back, unless with a date after this. Raises UserUnknown or BookUnknown.
    """
    book_id = find_current(session, book_id)
    bump_revision(session, user_id)
    if not count_changed(session, delete(Rating).where(*_is(user_id, book_id))):
        return False
    _forget_withdrawals(session, user_id, book_id)
    now = int(time.time())
    session.execute(insert(WithdrawnRating).values(user_id=user_id, book_id=book_id, withdrawn_at=now))
    return True


def count_readers(session: Session) -> dict[int, int]:
    """How many readers each book has, of those that have any."""
    counted = session.execute(select(Rating.book_id, func.count()).group_by(Rating.book_id))
    return {int(book_id): int(n) for book_id, n in counted}


def _forget_withdrawals(session: Session, user_id: int, book_id: int) -> None:
    """That a reader took back ratings of a book, or of one that is its edition by now."""
    editions = select(Book.book_id).where(or_(Book.book_id == book_id, Book.replaced_by == book_id))
    of_user = WithdrawnRating.user_id == user_id
    session.execute(delete(WithdrawnRating).where(of_user, WithdrawnRating.book_id.in_(editions)))


def _is(user_id: int, book_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Rating.user_id == user_id, Rating.book_id == book_id
