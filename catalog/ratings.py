"""Writes a reader's ratings; the reader's revision changes in the same transaction.

Use these within `db.session(write=True)`.
"""

import time

from sqlalchemy import ColumnElement, delete, insert, update
from sqlalchemy.orm import Session

from catalog.books import find_current
from catalog.database import count_changed
from catalog.tables import Rating
from catalog.users import bump_revision


def put_rating(session: Session, user_id: int, book_id: int, rating: float | None) -> bool:
    """Set a rating (1 to 10, or None: read, not judged); True if there was none before.

    A book that was replaced passes its rating on to its heir. Raises UserUnknown or BookUnknown.
    """
    bump_revision(session, user_id)  # first: its row lock makes writers of one reader take turns
    book_id = find_current(session, book_id)
    values = {"rating": rating, "rated_at": int(time.time())}
    if count_changed(session, update(Rating).where(*_is(user_id, book_id)).values(values)):
        return False
    session.execute(insert(Rating).values(user_id=user_id, book_id=book_id, **values))
    return True


def delete_rating(session: Session, user_id: int, book_id: int) -> bool:
    """Remove a rating, that of its heir if the book was replaced; False if there was none.

    Raises UserUnknown or BookUnknown.
    """
    bump_revision(session, user_id)
    return count_changed(session, delete(Rating).where(*_is(user_id, find_current(session, book_id)))) > 0


def _is(user_id: int, book_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Rating.user_id == user_id, Rating.book_id == book_id
