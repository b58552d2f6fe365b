"""Queries about readers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import Final

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    CompoundSelect,
    Connection,
    Dialect,
    bindparam,
    func,
    literal_column,
    select,
    true,
    union,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import ExecutableReturnsRows

from catalog.database import Database, count_changed
from catalog.errors import UserUnknown
from catalog.identity import name_state, new_revision
from catalog.sqlite import Rows
from catalog.tables import (
    Book,
    BookAuthor,
    CatalogIdentity,
    Edition,
    Event,
    EventKind,
    Rating,
    Subject,
    User,
    UserAuthor,
    UserSubject,
)
from catalog.traits import TRAITS, name_traits

_USER_ID: Final[BindParameter[int]] = bindparam("user_id")
# What a reader was only shown may be very much, and is nothing that they did.
_KINDS_THAT_COUNT: Final[list[ColumnClause[str]]] = [
    literal_column(f"'{each}'") for each in EventKind if each != EventKind.IMPRESSION
]
# All that is read of a reader: built once and run below the ORM, a statement costs a fifth.
REVISION: Final = (
    select(CatalogIdentity.catalog_id, CatalogIdentity.revision, User.revision)
    .join(User, true())
    .where(User.user_id == _USER_ID)
)
_HISTORY: Final = (
    select(Rating.book_id, Rating.rating, Book.hidden)
    .join(Book, Book.book_id == Rating.book_id)
    .where(Rating.user_id == _USER_ID)
    # Undated ratings come from a dump, so they are older than those given here.
    .order_by(Rating.rated_at.is_not(None), Rating.rated_at, Rating.book_id)
)
_EVENTS: Final = (
    select(Event.book_id, Event.kind)
    .where(Event.user_id == _USER_ID, Event.kind.in_(_KINDS_THAT_COUNT))
    .distinct()
    .order_by(Event.book_id, Event.kind)
)
_SUBJECTS: Final = (
    select(Subject.name)
    .join(UserSubject, UserSubject.subject_id == Subject.subject_id)
    .where(UserSubject.user_id == _USER_ID)
    .order_by(UserSubject.position)
)
_FAVOURITES: Final = (
    select(UserAuthor.author_id).where(UserAuthor.user_id == _USER_ID).order_by(UserAuthor.position)
)
_TRAITS: Final = select(*(getattr(User, name) for name in TRAITS)).where(User.user_id == _USER_ID)
_REPLACED: Final = union(
    select(Book.book_id).join(Rating, Rating.book_id == Book.replaced_by).where(Rating.user_id == _USER_ID),
    select(Book.book_id)
    .join(Event, Event.book_id == Book.replaced_by)
    .where(Event.user_id == _USER_ID, Event.kind == EventKind.DISMISS),
)
_PROFILE: Final[tuple[ExecutableReturnsRows, ...]] = (
    _FAVOURITES,
    _TRAITS,
    _HISTORY,
    _EVENTS,
    _REPLACED,
    _SUBJECTS,
)
"""With REVISION, all of a profile but the books by favourite authors."""

N_BOOKS_BY_FAVOURITE: Final = 3
"""So many books stand for an author whom a reader loves."""


@dataclass(frozen=True, slots=True)
class UserProfile:
    """What the recommender may know of a reader."""

    user_id: int
    revision: str
    """As read_revision tells it."""
    history: tuple[tuple[int, float | None], ...]
    """(book_id, rating) of every book read, oldest rating first; a rating of None is implicit."""
    events: tuple[tuple[int, str], ...]
    """(book_id, kind) of what the reader did besides rating, but dismissals, each once, by book."""
    dismissed: frozenset[int]
    hidden: frozenset[int]
    """Books of the history that are evidence only."""
    replaced: frozenset[int]
    """Former ids of books of the history and of dismissed ones; a version trained before knows those."""
    favourite_subjects: tuple[str, ...]
    """The dearest first."""
    favourite_authors: tuple[int, ...]
    """Ids, the dearest first."""
    by_favourites: frozenset[int]
    """The best known books of these authors, which count as liked beside a history."""
    traits: tuple[str, ...]
    """What else is known of the reader, as `name_traits` has it."""
    blamed: str | None = None
    """Who kept this from being read now: it is what was read last, or nothing at all."""


def find_user(session: Session, source: str, external_id: str) -> int | None:
    """The user_id of a reader of a source, by the id that the source knows them by."""
    return session.scalar(select(User.user_id).filter_by(source=source, external_id=external_id))


def read_revision(session: Session, user_id: int) -> str | None:
    """A name of all that the reader's lists depend on, which is never used again once that has changed.

    None for an unknown reader.
    """
    found = session.connection().execute(REVISION, {"user_id": user_id}).one_or_none()
    return found and _name_revision(*found)


def read_profile(session: Session, user_id: int) -> UserProfile | None:
    """Everything of a reader as of now; None for an unknown one."""
    connection = session.connection()

    def read(statement: ExecutableReturnsRows) -> Rows:
        return [tuple(row) for row in connection.execute(statement, {"user_id": user_id})]

    if not (revision := read(REVISION)):
        return None
    authors, *rest = map(read, _PROFILE)
    by_favourites = _find_books_by(session, [author_id for (author_id,) in authors])
    return _build_profile(user_id, revision, authors, *rest, by_favourites=by_favourites)


class InlineUsers:
    """Reads readers in the thread of its caller, where the catalog is a file; `close` it.

    What it returns is what a session reads. None may mean that only a session can tell.
    """

    def __init__(self, db: Database) -> None:
        self._connection = db.open_inline()
        self._revision, *self._profile = (_Query(each, db.engine.dialect) for each in (REVISION, *_PROFILE))

    def find_revision(self, user_id: int) -> str | None:
        """As read_revision tells it."""
        found = self._fetch(user_id, self._revision)
        return _name_revision(*found[0][0]) if found and found[0] else None

    def find_profile(self, user_id: int) -> UserProfile | None:
        """As read_profile tells it, but of nobody who has favourite authors or thousands of books."""
        found = self._fetch(user_id, self._revision, *self._profile)
        if found is None:
            return None
        revision, authors, *_ = found
        return _build_profile(user_id, *found) if revision and not authors else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _fetch(self, user_id: int, *queries: "_Query") -> list[Rows] | None:
        if self._connection is None:
            return None
        return self._connection.fetch(*((query.text, query.values(user_id)) for query in queries))


class _Query:
    """A statement about one reader as the driver takes it."""

    def __init__(self, statement: ExecutableReturnsRows, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self._names = compiled.positiontup or []
        self._constants = compiled.params

    def values(self, user_id: int) -> list[object]:
        """For its places, in their order."""
        return [user_id if name == "user_id" else self._constants[name] for name in self._names]


def _build_profile(
    user_id: int,
    revision: Rows,
    authors: Rows,
    traits: Rows,
    history: Rows,
    events: Rows,
    replaced: Rows,
    subjects: Rows,
    *,
    by_favourites: Iterable[int] = (),
) -> UserProfile:
    return UserProfile(
        user_id=user_id,
        revision=_name_revision(*revision[0]),
        history=tuple((book_id, rating) for book_id, rating, _ in history),
        events=tuple((book_id, kind) for book_id, kind in events if kind != EventKind.DISMISS),
        dismissed=frozenset(book_id for book_id, kind in events if kind == EventKind.DISMISS),
        hidden=frozenset(book_id for book_id, _, hidden in history if hidden is not None),
        replaced=frozenset(book_id for (book_id,) in replaced),
        favourite_subjects=tuple(name for (name,) in subjects),
        favourite_authors=tuple(author_id for (author_id,) in authors),
        by_favourites=frozenset(by_favourites),
        traits=name_traits(**dict(zip(TRAITS, traits[0], strict=True))),
    )


def _name_revision(catalog_id: str, catalog_revision: int, user_revision: int) -> str:
    return f"{name_state(catalog_id, catalog_revision)}:{user_revision}"


def _find_books_by(session: Session, author_ids: Sequence[int]) -> Iterator[int]:
    """The books of most editions by each of these authors."""
    if not author_ids:
        return
    n_editions = func.count(Edition.isbn13)
    # Whether a book is shown is looked at here: SQLite would begin with the index of all that are.
    by_them = (
        select(BookAuthor.author_id, Book.book_id, Book.replaced_by, Book.hidden)
        .join(Book, Book.book_id == BookAuthor.book_id)
        .outerjoin(Edition, Edition.book_id == Book.book_id)
        .where(BookAuthor.author_id.in_(author_ids))
        .group_by(BookAuthor.author_id, Book.book_id)
        .order_by(BookAuthor.author_id, n_editions.desc(), Book.book_id)
    )
    shown = (row for row in session.execute(by_them) if row.replaced_by is None and not row.hidden)
    for _, books in groupby(shown, key=attrgetter("author_id")):
        yield from (row.book_id for row in islice(books, N_BOOKS_BY_FAVOURITE))


def lock_user(session: Session, user_id: int) -> None:
    """Make writers of one reader take turns. Raises UserUnknown."""
    if session.scalar(select(User.user_id).filter_by(user_id=user_id).with_for_update()) is None:
        raise UserUnknown(user_id)


def bump_revision(session: Session, user_id: int) -> None:
    """Tell every cache that what this reader should be shown has changed. Raises UserUnknown."""
    changed = update(User).where(User.user_id == user_id).values(revision=new_revision())
    if not count_changed(session, changed):
        raise UserUnknown(user_id)


def raise_revisions(connection: Connection, user_ids: CompoundSelect[int]) -> None:
    """The same for all readers whom a query finds."""
    connection.execute(update(User).where(User.user_id.in_(user_ids)).values(revision=new_revision()))
