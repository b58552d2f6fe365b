"""Readers as admins see them: who there is, from where, and how they sign in."""

import time
from dataclasses import dataclass

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from catalog.errors import UserUnknown
from catalog.tables import Account, Event, Rating, Role, TokenFamily, User


@dataclass(frozen=True, slots=True)
class Person:
    """A reader; without an account for all of an account."""

    user_id: int
    source: str
    external_id: str
    email: str | None
    name: str | None
    role: Role | None
    signed_up_at: int | None
    """Seconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What hangs on a reader."""

    n_ratings: int
    n_events: int
    n_log_ins: int
    """Those that hold now."""


def list_people(
    session: Session, *, source: str | None, role: Role | None, limit: int, offset: int
) -> tuple[int, list[Person]]:
    """How many readers there are of a source and a role, and a page of them by user_id."""
    conditions = [] if source is None else [User.source == source]
    if role is not None:
        conditions.append(Account.role == role)
    chosen = _select_people().where(*conditions)
    counted = select(func.count(User.user_id)).select_from(User)
    if role is not None:
        counted = counted.join(Account, Account.user_id == User.user_id)
    rows = session.execute(chosen.order_by(User.user_id).limit(limit).offset(offset))
    return session.scalar(counted.where(*conditions)) or 0, [_parse(row) for row in rows]


def read_person(session: Session, user_id: int) -> Person:
    """One reader. Raises UserUnknown."""
    row = session.execute(_select_people().where(User.user_id == user_id)).one_or_none()
    if row is None:
        raise UserUnknown(user_id)
    return _parse(row)


def read_activity(session: Session, user_id: int) -> Activity:
    """How much there is of a reader."""
    n_ratings, n_events = (
        session.scalar(select(func.count()).select_from(table).where(table.user_id == user_id)) or 0
        for table in (Rating, Event)
    )
    holds = TokenFamily.revoked_at.is_(None), TokenFamily.expires_at > int(time.time())
    n_log_ins = session.scalar(select(func.count()).where(TokenFamily.user_id == user_id, *holds)) or 0
    return Activity(n_ratings, n_events, n_log_ins)


def _select_people() -> Select[*tuple[object, ...]]:
    columns = (User.user_id, User.source, User.external_id, Account.email, Account.name, Account.role)
    return select(*columns, Account.created_at.label("signed_up_at")).outerjoin(
        Account, Account.user_id == User.user_id
    )


def _parse(row: Row[*tuple[object, ...]]) -> Person:
    return Person(**{**row._mapping, "role": None if row.role is None else Role(row.role)})
