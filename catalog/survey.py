"""What the catalog holds, counted: a few scans that take seconds on a million ratings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from catalog.buckets import UNKNOWN, name_pages, name_year
from catalog.subjects import SubjectRow, list_subjects
from catalog.tables import Author, Base, Book, BookAuthor, BookSubject, Edition, Event, Rating, User

Counts = dict[str, int]

N_TOP: Final = 10
"""Subjects and languages that are named; of the other languages there is the sum."""
QUANTILES: Final = {"least": 0.0, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "most": 1.0}


@dataclass(frozen=True)
class Survey:
    """What the catalog holds; books are those that are shown, where nothing else is said."""

    rows: Counts
    """How many there are, by kind."""
    sources: dict[str, Counts]
    """Books and readers of each."""
    hidden_books: Counts
    """Books that are evidence only, by the reason."""
    known: Counts
    """Books of which something is known."""
    ratings: Counts
    """Of each value, rounded."""
    ratings_of_reader: Counts
    ratings_of_book: Counts
    """By quantile: that share of those who have any has so many or fewer."""
    years: Counts
    """Books by the buckets of their years and of their pages."""
    pages: Counts
    languages: Counts
    subjects: Sequence[SubjectRow]
    """Those of most books."""
    events: Counts
    """By kind."""


def survey(session: Session) -> Survey:
    """Count the catalog."""
    ratings, n_implicit = _count_ratings(session)
    shown = Book.replaced_by.is_(None) & Book.hidden.is_(None)
    return Survey(
        rows={
            "books": _count(session, Book, shown),
            "editions": _count(session, Edition),
            "authors": _count(session, Author),
            "readers": _count(session, User),
            "ratings": sum(ratings.values()) + n_implicit,
            "of these explicit": sum(ratings.values()),
            "events": _count(session, Event),
        },
        sources=_count_sources(session),
        hidden_books=_group(session, Book.hidden, Book.replaced_by.is_(None) & Book.hidden.is_not(None)),
        known=_count_known(session, shown),
        ratings=ratings,
        ratings_of_reader=_find_quantiles(session, Rating.user_id),
        ratings_of_book=_find_quantiles(session, Rating.book_id),
        years=_group_numbers(session, Book.year, name_year, shown),
        pages=_group_numbers(session, Book.n_pages, name_pages, shown),
        languages=_keep_most(_group(session, Book.language, shown)),
        subjects=list_subjects(session)[:N_TOP],
        events=_group(session, Event.kind),
    )


def _count(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _group(session: Session, column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]) -> Counts:
    """Rows of each value, most first."""
    rows = session.execute(select(column, func.count()).where(*conditions).group_by(column)).all()
    ordered = sorted(rows, key=lambda row: (row[0] is None, -row[1], row[0]))
    return {UNKNOWN if value is None else str(value): n for value, n in ordered}


def _count_sources(session: Session) -> dict[str, Counts]:
    books = _group(session, Book.source, Book.replaced_by.is_(None), Book.hidden.is_(None))
    users = _group(session, User.source)
    names = sorted({*books, *users})
    return {name: {"books": books.get(name, 0), "readers": users.get(name, 0)} for name in names}


def _count_known(session: Session, shown: ColumnElement[bool]) -> Counts:
    authored = select(BookAuthor.book_id).where(BookAuthor.book_id == Book.book_id).exists()
    filed = select(BookSubject.book_id).where(BookSubject.book_id == Book.book_id).exists()
    conditions = {
        "author": authored,
        "year": Book.year.is_not(None),
        "pages": Book.n_pages.is_not(None),
        "language": Book.language.is_not(None),
        "description": Book.description.is_not(None),
        "subject": filed,
        "usable subject": Book.main_subject_id.is_not(None),
    }
    row = session.execute(select(*(func.count(case((each, 1))) for each in conditions.values())).where(shown))
    return dict(zip(conditions, row.one(), strict=True))


def _count_ratings(session: Session) -> tuple[Counts, int]:
    """Explicit ratings by value, and how many are implicit."""
    values = range(1, 11)
    of_each = (case(((Rating.rating >= n - 0.5) & (Rating.rating < n + 0.5), 1)) for n in values)
    *explicit, n_all = session.execute(select(*map(func.count, of_each), func.count(Rating.user_id))).one()
    return dict(zip(map(str, values), explicit, strict=True)), n_all - sum(explicit)


def _find_quantiles(session: Session, column: InstrumentedAttribute[int]) -> Counts:
    each = select(func.count(column).label("n")).group_by(column).subquery()
    rows = session.execute(select(each.c.n, func.count()).group_by(each.c.n).order_by(each.c.n)).all()
    if not rows:
        return {}
    n_ratings, n_rated = np.array([tuple(row) for row in rows]).T
    behind = np.cumsum(n_rated)
    return {
        name: int(n_ratings[np.searchsorted(behind, share * behind[-1])]) for name, share in QUANTILES.items()
    }


def _group_numbers(
    session: Session,
    column: InstrumentedAttribute[int | None],
    name: Callable[[InstrumentedAttribute[int | None]], ColumnElement[str]],
    *conditions: ColumnElement[bool],
) -> Counts:
    """Rows of each bucket of numbers, the lowest first."""
    each = select(name(column).label("bucket"), column.label("n")).where(*conditions).subquery()
    lowest = func.min(each.c.n)
    found = select(each.c.bucket, func.count()).group_by(each.c.bucket).order_by(lowest.is_(None), lowest)
    return dict(map(tuple, session.execute(found)))


def _keep_most(counts: Counts) -> Counts:
    named = [name for name in counts if name != UNKNOWN]
    n_others = sum(counts[name] for name in named[N_TOP:])
    others = {"others": n_others} if n_others else {}
    return {name: counts[name] for name in named[:N_TOP]} | others | _rest(counts)


def _rest(counts: Counts) -> Counts:
    return {UNKNOWN: counts[UNKNOWN]} if UNKNOWN in counts else {}
