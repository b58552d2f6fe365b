"""Makes books editions of others, and keeps what undoes it.

The statements are the same for a bestseller as for a book that nobody read, and for a thousand books as for
one: only the list of merges, and of the editions that an import has moved, comes from outside, in bulk.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from catalog.bulk import RowWriter
from catalog.edits import settle
from catalog.merging.best import insert_best
from catalog.tables import (
    Base,
    Book,
    BookSubject,
    EditedField,
    Edition,
    Event,
    Merge,
    MergedBook,
    MergedEdition,
    MergedEvent,
    MergedRating,
    MergedSubject,
    Rating,
)
from catalog.users import raise_revisions

log = structlog.get_logger()


def merge_books(
    connection: Connection, heirs: Mapping[int, int], *, lost_editions: Iterable[tuple[str, int]] = ()
) -> None:
    """Give what hangs on each of these books to its heir; of a reader's ratings of both one stays.

    No heir may be one of the books. `lost_editions` are (ISBN, book) of those that have moved already. A
    merged book's row stays, so that its id is never given to another.
    """
    if not heirs:
        return
    first_id = (connection.scalar(select(func.max(Merge.merge_id))) or 0) + 1
    merge_ids = {book_id: merge_id for merge_id, book_id in enumerate(heirs, start=first_id)}
    now = int(time.time())
    RowWriter.inserting(connection, Merge, "merge_id", "book_id", "heir_id", "merged_at").extend(
        (merge_ids[book_id], book_id, heir_id, now) for book_id, heir_id in heirs.items()
    )
    RowWriter.inserting(connection, MergedEdition, "merge_id", "isbn13").extend(
        (merge_ids[book_id], isbn) for isbn, book_id in lost_editions
    )
    ours = Merge.merge_id >= first_id
    merged = select(Merge.book_id).where(ours)
    # Books, then readers: who rates locks them in this order too, and afterwards finds the heir.
    books = select(Book.book_id).where(Book.book_id.in_(merged)).order_by(Book.book_id)
    connection.execute(books.with_for_update())
    for book_ids in (merged, select(Merge.heir_id).where(ours)):
        raise_revisions_of(connection, book_ids)
    _keep(connection, ours)
    _move_ratings(connection, ours)
    for column in (Edition.book_id, Event.book_id, Book.replaced_by):
        _move(connection, column, ours)
    connection.execute(delete(BookSubject).where(BookSubject.book_id.in_(merged)))
    heir = select(Merge.heir_id).where(Merge.book_id == Book.book_id, ours).scalar_subquery()
    connection.execute(update(Book).where(Book.book_id.in_(merged)).values(replaced_by=heir))
    for book_id, heir_id in heirs.items():
        log.info("book_merged", book=book_id, heir=heir_id, merge=merge_ids[book_id])


def merge_for_good(connection: Connection, heirs: Mapping[int, int]) -> None:
    """The same, as an operator would have it: no import makes these books separate again."""
    merge_books(connection, heirs)
    for book_id in heirs:
        connection.execute(update(Book).where(Book.book_id == book_id).values(split_from=None))
        settle(connection, book_id, [EditedField.HEIR])


def raise_revisions_of(connection: Connection, book_ids: Select[int]) -> None:
    """Tell the caches of all who rated or dismissed one of these books, whatever source they are of."""
    raters = select(Rating.user_id).where(Rating.book_id.in_(book_ids))
    dismissers = select(Event.user_id).where(Event.book_id.in_(book_ids))
    raise_revisions(connection, raters.union(dismissers))


def _keep(connection: Connection, ours: ColumnElement[bool]) -> None:
    """Copy what is about to change hands, with the heirs' ratings by readers who had rated both."""
    heirs = aliased(Rating)
    rated_both = (heirs.book_id == Merge.heir_id) & (heirs.user_id == Rating.user_id)
    kept: tuple[tuple[type[Base], Select[*tuple[object, ...]]], ...] = (
        (MergedBook, select(Merge.merge_id, Book.book_id).join(Book, Book.replaced_by == Merge.book_id)),
        (
            MergedEdition,
            select(Merge.merge_id, Edition.isbn13).join(Edition, Edition.book_id == Merge.book_id),
        ),
        (MergedEvent, select(Merge.merge_id, Event.event_id).join(Event, Event.book_id == Merge.book_id)),
        (
            MergedSubject,
            select(Merge.merge_id, BookSubject.subject_id, BookSubject.position).join(
                BookSubject, BookSubject.book_id == Merge.book_id
            ),
        ),
        (MergedRating, _ratings(Rating).join(Rating, Rating.book_id == Merge.book_id)),
        (MergedRating, _ratings(heirs).join(Rating, Rating.book_id == Merge.book_id).join(heirs, rated_both)),
    )
    for table, rows in kept:
        names = [column.name for column in rows.selected_columns]
        connection.execute(insert(table).from_select(names, rows.where(ours)))


def _ratings(of: type[Rating]) -> Select[*tuple[Any, ...]]:
    return select(
        Merge.merge_id, of.user_id, of.book_id, of.rating, of.rated_at, of.given_here, of.created_at
    ).select_from(Merge)


def _move_ratings(connection: Connection, ours: ColumnElement[bool]) -> None:
    """Put in the place of the ratings that were kept, for each reader, the one that counts."""
    merged, heirs = (select(column).where(ours) for column in (Merge.book_id, Merge.heir_id))
    connection.execute(delete(Rating).where(Rating.book_id.in_(merged)))
    # By way of the merge: MariaDB up to 11.0 would compare each rating with each that was kept.
    is_kept = exists().where(
        Merge.heir_id == Rating.book_id,
        MergedRating.merge_id == Merge.merge_id,
        MergedRating.user_id == Rating.user_id,
        MergedRating.book_id == Rating.book_id,
        ours,
    )
    connection.execute(delete(Rating).where(Rating.book_id.in_(heirs), is_kept))
    several = (
        select(
            MergedRating.user_id,
            Merge.heir_id.label("book_id"),
            MergedRating.rating,
            MergedRating.rated_at,
            MergedRating.given_here,
            MergedRating.created_at,
        )
        .join(Merge, Merge.merge_id == MergedRating.merge_id)
        .where(ours)
    )
    insert_best(connection, several)


def _move(connection: Connection, column: InstrumentedAttribute[Any], ours: ColumnElement[bool]) -> None:
    """Change a reference to a merged book into one to its heir."""
    table = column.class_
    heir = select(Merge.heir_id).where(Merge.book_id == column, ours).scalar_subquery()
    merged = select(Merge.book_id).where(ours)
    connection.execute(update(table).where(column.in_(merged)).values({column.key: heir}))
