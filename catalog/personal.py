"""Everything about one reader: to hand out to them, and to delete."""

import hashlib
import time
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.orm import Session

from catalog.errors import UserUnknown
from catalog.identity import lock_catalog, renew_state
from catalog.tables import (
    OWN_SOURCE,
    Base,
    Book,
    ErasedUser,
    Event,
    MergedEvent,
    MergedRating,
    OneTimeToken,
    User,
)

_SECRETS: Final = {
    *("password_hash", "current_hash", "former_hash", "salt", "token_hash", "family_id", "revision"),
}
"""What would be of use to thieves, or is of no use to anybody."""
_LEFT_OUT: Final = {OneTimeToken.__tablename__}


def list_personal_tables() -> list[type[Base]]:
    """Those that hold rows of readers, `users` first."""
    tables = [mapper.class_ for mapper in Base.registry.mappers if "user_id" in mapper.local_table.columns]
    return sorted(tables, key=lambda table: (table is not User, table.__tablename__))


def read_everything(session: Session, user_id: int) -> dict[str, list[dict[str, Any]]]:
    """All rows of a reader by table, as they are stored, without secrets; and the books that they name."""
    rows = {
        table.__tablename__: _read_rows(session, table, user_id)
        for table in list_personal_tables()
        if table.__tablename__ not in _LEFT_OUT
    }
    return {**rows, "books": _read_titles(session, rows)}


def erase(session: Session, user_id: int) -> None:
    """Delete a reader with all of theirs, for ever: no import or backup undoes it. Raises UserUnknown."""
    user = session.execute(select(User.source, User.external_id).where(User.user_id == user_id)).one_or_none()
    if user is None:
        raise UserUnknown(user_id)
    connection = session.connection()
    if user.source != OWN_SOURCE:
        # An import that knows the reader may be under way: it shall finish first, or read again.
        lock_catalog(connection)
        renew_state(connection)
    _erase_rows(connection, user_id)
    _note(connection, [digest_reader(user.source, user.external_id)])


def erase_again(connection: Connection, erased: Collection[str]) -> None:
    """Delete those of these readers whom a restored backup has brought back."""
    users = connection.execute(select(User.user_id, User.source, User.external_id)) if erased else ()
    for user_id in [each.user_id for each in users if digest_reader(each.source, each.external_id) in erased]:
        _erase_rows(connection, user_id)
    _note(connection, set(erased) - read_erased(connection))


def digest_reader(source: str, external_id: str) -> str:
    """By what an erased reader is recognised, and not named."""
    return hashlib.sha256(f"{source}\n{external_id}".encode()).hexdigest()


def read_erased(connection: Connection) -> frozenset[str]:
    """Digests of all whom imports must not bring back."""
    return frozenset(connection.scalars(select(ErasedUser.digest)))


def _read_rows(session: Session, table: type[Base], user_id: int) -> list[dict[str, Any]]:
    of = table.__table__
    columns = [column for column in of.columns if column.name not in _SECRETS]
    rows = session.execute(select(*columns).where(of.c.user_id == user_id).order_by(*of.primary_key))
    return [dict(row._mapping) for row in rows]


def _read_titles(session: Session, rows: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    book_ids = {row["book_id"] for each in rows.values() for row in each if "book_id" in row}
    books = session.execute(
        select(Book.book_id, Book.title).order_by(Book.book_id).where(Book.book_id.in_(book_ids))
    )
    return [dict(book._mapping) for book in books]


def _note(connection: Connection, digests: Collection[str]) -> None:
    rows = [{"digest": digest, "erased_at": int(time.time())} for digest in sorted(digests)]
    if rows:
        connection.execute(insert(ErasedUser), rows)


def _erase_rows(connection: Connection, user_id: int) -> None:
    """What a merge keeps of ratings and events refers to no reader; the rest goes with its row of `users`."""
    connection.execute(delete(MergedRating).where(MergedRating.user_id == user_id))
    events = select(Event.event_id).where(Event.user_id == user_id)
    connection.execute(delete(MergedEvent).where(MergedEvent.event_id.in_(events)))
    connection.execute(delete(User).where(User.user_id == user_id))
