"""The tables that training needs, streamed to the pipeline as Arrow batches."""

from collections.abc import Collection, Iterator

import pyarrow as pa
from sqlalchemy import or_, select

from catalog.arrow_batches import (
    DEFAULT_BATCH_ROWS,
    Query,
    build_schema,
    open_consistent,
    read_batches,
    select_all,
)
from catalog.database import Database
from catalog.tables import (
    Author,
    Book,
    BookAuthor,
    BookSubject,
    Edition,
    Event,
    EventKind,
    Rating,
    Subject,
    User,
)


def read_tables(
    db: Database, batch: int = DEFAULT_BATCH_ROWS, *, without: Collection[str] = ()
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Every table that training needs as (table name, at most `batch` rows), ordered by primary key.

    One transaction sees all tables but those named in `without`. Each comes with at least one batch, an empty
    one if it has no rows; SCHEMAS tells the columns. Replaced books are left out, and of a reader's events of
    one kind with a book all but one, impressions all. Of readers it has those of whom anything is known.
    """
    with open_consistent(db) as connection:
        for name in (each for each in SCHEMAS if each not in without):
            for rows in read_batches(connection, _QUERIES[name], batch):
                yield name, rows


_QUERIES: dict[str, Query] = {
    "books": select(
        Book.book_id, Book.title, Book.year, Book.language, Book.description, Book.main_subject_id,
        Book.hidden, Book.n_pages,
    ).where(Book.replaced_by.is_(None)).order_by(Book.book_id),
    "editions": select_all(Edition),
    "authors": select_all(Author),
    "book_authors": select_all(BookAuthor),
    "subjects": select_all(Subject),
    "book_subjects": select_all(BookSubject),
    "ratings": select(Rating.user_id, Rating.book_id, Rating.rating, Rating.rated_at).order_by(
        Rating.user_id, Rating.book_id
    ),
    "events": select(Event.user_id, Event.book_id, Event.kind).where(
        Event.kind != EventKind.IMPRESSION
    ).distinct().order_by(
        Event.user_id, Event.book_id, Event.kind
    ),
    "users": select(
        User.user_id, User.age_group, User.gender, User.occupation, User.country
    ).where(
        or_(User.age_group.is_not(None), User.gender.is_not(None), User.occupation.is_not(None),
            User.country.is_not(None))
    ).order_by(User.user_id),
}  # fmt: skip

SCHEMAS: dict[str, pa.Schema] = {name: build_schema(query) for name, query in _QUERIES.items()}
"""Columns of each table that `read_tables` yields."""
