"""What a reader tells of themselves: where they live, and the subjects and authors that they love.

From the first time they do, no import changes that any more.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from catalog.editing.authors import find_authors_by_keys, make_key
from catalog.errors import AuthorsUnknown
from catalog.tables import Account, Author, Subject, User, UserAuthor, UserSubject
from catalog.users import bump_revision

_ATTRIBUTES: Final = ("age_group", "gender", "country")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a reader told, or an import found of them; None where nothing is known."""

    age_group: str | None
    gender: str | None
    country: str | None
    favourite_subjects: tuple[str, ...]
    """The dearest first."""
    favourite_authors: tuple[str, ...]


def read_preferences(session: Session, user_id: int) -> Preferences:
    """What is known of a reader."""
    columns = [getattr(User, name) for name in _ATTRIBUTES]
    attributes = session.execute(select(*columns).where(User.user_id == user_id)).one()
    return Preferences(
        **attributes._mapping,
        favourite_subjects=tuple(
            session.scalars(
                select(Subject.name)
                .join(UserSubject, UserSubject.subject_id == Subject.subject_id)
                .where(UserSubject.user_id == user_id)
                .order_by(UserSubject.position)
            )
        ),
        favourite_authors=tuple(
            session.scalars(
                select(Author.name)
                .join(UserAuthor, UserAuthor.author_id == Author.author_id)
                .where(UserAuthor.user_id == user_id)
                .order_by(UserAuthor.position)
            )
        ),
    )


def write_preferences(session: Session, user_id: int, given: Mapping[str, Any]) -> None:
    """Change what a reader tells, by the names of `Preferences`; the rest stays.

    Subjects are named as the catalog spells them, authors in any spelling. Raises UserUnknown, or
    AuthorsUnknown.
    """
    bump_revision(session, user_id)
    attributes = {name: given[name] for name in _ATTRIBUTES if name in given}
    if attributes:
        session.execute(update(User).where(User.user_id == user_id).values(attributes))
    if "favourite_subjects" in given:
        _replace(session, UserSubject, user_id, _find_subjects(session, given["favourite_subjects"]))
    if "favourite_authors" in given:
        _replace(session, UserAuthor, user_id, find_authors(session, given["favourite_authors"]))
    told = update(Account).where(Account.user_id == user_id)
    session.execute(told.values(profile_changed_at=int(time.time())))


def find_authors(session: Session, names: Sequence[str]) -> list[int]:
    """Ids of authors named in any spelling, each once. Raises AuthorsUnknown."""
    keys = {name: make_key(name) for name in names}
    known = find_authors_by_keys(session.connection(), set(keys.values()))
    if unknown := [name for name, key in keys.items() if key not in known]:
        raise AuthorsUnknown(unknown)
    return list(dict.fromkeys(known[key] for key in keys.values()))


def _replace(
    session: Session, table: type[UserSubject] | type[UserAuthor], user_id: int, ids: Sequence[int]
) -> None:
    session.execute(delete(table).where(table.user_id == user_id))
    key = "subject_id" if table is UserSubject else "author_id"
    rows = [{"user_id": user_id, key: each, "position": place} for place, each in enumerate(ids)]
    if rows:
        session.execute(insert(table), rows)


def _find_subjects(session: Session, names: Sequence[str]) -> list[int]:
    rows = session.execute(select(Subject.name, Subject.subject_id).where(Subject.name.in_(names)))
    ids = dict(rows.all())
    return [ids[name] for name in dict.fromkeys(names) if name in ids]
