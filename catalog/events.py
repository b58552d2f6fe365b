"""Records what readers saw and did."""

import time

from sqlalchemy import insert
from sqlalchemy.orm import Session

from catalog.books import find_current
from catalog.tables import Event, EventKind
from catalog.users import bump_revision, check_user

_CHANGES_LISTS = frozenset({EventKind.DISMISS})


def add_event(session: Session, user_id: int, book_id: int, kind: EventKind) -> None:
    """Record one event, now; a dismissal also bumps the reader's revision.

    What happens to a book that was replaced happens to its heir. Raises UserUnknown or BookUnknown.
    """
    if kind in _CHANGES_LISTS:
        bump_revision(session, user_id)
    else:
        check_user(session, user_id)
    book_id = find_current(session, book_id)
    session.execute(insert(Event).values(user_id=user_id, book_id=book_id, kind=kind, at=int(time.time())))
