"""Records what readers did that changes their lists."""

import time

from sqlalchemy import insert
from sqlalchemy.orm import Session

from catalog.books import find_current
from catalog.tables import Event, EventKind
from catalog.users import bump_revision


def dismiss(session: Session, user_id: int, book_id: int) -> None:
    """Never show this book to this reader again, nor its heir if it was replaced.

    Raises UserUnknown or BookUnknown, also for a hidden book.
    """
    book_id = find_current(session, book_id, is_shown=True)
    bump_revision(session, user_id)
    values = {"user_id": user_id, "book_id": book_id, "kind": EventKind.DISMISS}
    now = int(time.time())
    session.execute(insert(Event).values(**values, at=now, created_at=now))
