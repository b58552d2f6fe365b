"""Makes merged books themselves again, with what hung on them before; for any number of readers."""

from collections.abc import Container, Sequence
from typing import Any

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from catalog.bulk import RowWriter
from catalog.merging.best import insert_best
from catalog.merging.merge import raise_revisions_of
from catalog.subjects import update_main_subjects
from catalog.tables import (
    Book,
    BookSubject,
    Edition,
    Event,
    Merge,
    MergedBook,
    MergedEdition,
    MergedEvent,
    MergedRating,
    MergedSubject,
    Rating,
    WithdrawnRating,
)

log = structlog.get_logger()
_AT_ONCE = 1_000
"""Books whose ids stand in one statement."""
_Ratings = type[Rating] | type[MergedRating]


def undo_merges(
    connection: Connection, book_ids: Sequence[int], *, placed: Container[str] = frozenset()
) -> None:
    """Give merged books back what the heirs got of them, as far as nobody has changed it there since.

    Editions in `placed` stay where they are, and so does what readers did with the heir since. Of a merge by
    an earlier release nothing was kept: then the book alone comes back.
    """
    for start in range(0, len(book_ids), _AT_ONCE):
        _undo(connection, book_ids[start : start + _AT_ONCE], placed)


def _undo(connection: Connection, book_ids: Sequence[int], placed: Container[str]) -> None:
    of_books = Book.book_id.in_(book_ids)
    heirs = connection.execute(select(Book.book_id, Book.replaced_by).where(of_books)).all()
    heir_ids = sorted({heir_id for _, heir_id in heirs if heir_id is not None})
    newest = select(func.max(Merge.merge_id)).where(Merge.book_id.in_(book_ids)).group_by(Merge.book_id)
    merge_ids = list(connection.scalars(newest))
    _give_books_back(connection, merge_ids)
    _give_ratings_back(connection, merge_ids, book_ids, heir_ids)
    _give_editions_back(connection, merge_ids, placed)
    _give_events_back(connection, merge_ids)
    _give_subjects_back(connection, merge_ids, book_ids)
    connection.execute(update(Book).where(of_books).values(replaced_by=None))
    for table in (MergedBook, MergedEdition, MergedEvent, MergedSubject, MergedRating, Merge):
        connection.execute(delete(table).where(table.merge_id.in_(merge_ids)))
    raise_revisions_of(connection, select(Book.book_id).where(Book.book_id.in_([*book_ids, *heir_ids])))
    for book_id, heir_id in heirs:
        log.info("merge_undone", book=book_id, heir=heir_id)


def _give_ratings_back(
    connection: Connection, merge_ids: list[int], book_ids: Sequence[int], heir_ids: list[int]
) -> None:
    """What a reader has said of the heir since stays; that they took the rating back counts for both."""
    was = MergedRating
    ours = (
        Merge.merge_id.in_(merge_ids),
        was.merge_id == Merge.merge_id,
        was.book_id == Merge.book_id,
        Book.book_id == Merge.book_id,
    )
    untouched = exists().where(
        *ours, Book.replaced_by == Rating.book_id, was.user_id == Rating.user_id, _is_same(was, Rating)
    )
    connection.execute(delete(Rating).where(Rating.book_id.in_(heir_ids), untouched))

    taken_back = exists().where(
        WithdrawnRating.user_id == was.user_id,
        WithdrawnRating.book_id == Book.replaced_by,
        WithdrawnRating.withdrawn_at >= Merge.merged_at,
    )
    insert_best(connection, _others(book_ids).where(*ours, ~taken_back, ~_has_rating(Book.replaced_by)))
    own = select(was.user_id, was.book_id, was.rating, was.rated_at, was.given_here, was.created_at)
    own = own.where(*ours, ~taken_back, ~_has_rating(Merge.book_id))
    connection.execute(insert(Rating).from_select(list(own.selected_columns.keys()), own))

    stone = aliased(WithdrawnRating)
    taken = select(was.user_id, was.book_id, stone.withdrawn_at).where(
        *ours,
        stone.user_id == was.user_id,
        stone.book_id == Book.replaced_by,
        stone.withdrawn_at >= Merge.merged_at,
        ~exists().where(WithdrawnRating.user_id == was.user_id, WithdrawnRating.book_id == was.book_id),
    )
    connection.execute(insert(WithdrawnRating).from_select(list(taken.selected_columns.keys()), taken))


def _others(book_ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """What else was kept of the heirs' ratings: their own, and those of other books that they replaced."""
    other_merge, other_book, other = aliased(Merge), aliased(Book), aliased(MergedRating)
    # What a later merge kept of the heir may be the very rating that goes back now.
    is_own_or_of_another = or_(
        other.merge_id == MergedRating.merge_id,
        other.book_id == other_merge.book_id,
        ~_is_same(other, MergedRating),
    )
    return select(
        other.user_id,
        Book.replaced_by.label("book_id"),
        other.rating,
        other.rated_at,
        other.given_here,
        other.created_at,
    ).where(
        other_book.replaced_by == Book.replaced_by,
        other_merge.book_id == other_book.book_id,
        other.merge_id == other_merge.merge_id,
        other.user_id == MergedRating.user_id,
        other.book_id.not_in(book_ids),
        is_own_or_of_another,
    )


def _has_rating(book_id: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return exists().where(Rating.user_id == MergedRating.user_id, Rating.book_id == book_id)


def _is_same(one: _Ratings, other: _Ratings) -> ColumnElement[bool]:
    return and_(
        one.rating.is_not_distinct_from(other.rating),
        one.rated_at.is_not_distinct_from(other.rated_at),
        one.given_here.is_not_distinct_from(other.given_here),
    )


def _give_editions_back(connection: Connection, merge_ids: list[int], placed: Container[str]) -> None:
    kept = connection.execute(
        select(Merge.book_id, MergedEdition.isbn13)
        .join(Merge, Merge.merge_id == MergedEdition.merge_id)
        .where(Merge.merge_id.in_(merge_ids))
    ).all()
    writer = RowWriter.updating(connection, Edition, "book_id", where=["isbn13"])
    writer.extend((book_id, isbn) for book_id, isbn in kept if isbn not in placed)


def _give_events_back(connection: Connection, merge_ids: list[int]) -> None:
    kept = MergedEvent.merge_id.in_(merge_ids)
    book_id = (
        select(Merge.book_id)
        .join(MergedEvent, MergedEvent.merge_id == Merge.merge_id)
        .where(kept, MergedEvent.event_id == Event.event_id)
        .scalar_subquery()
    )
    of_books = Event.event_id.in_(select(MergedEvent.event_id).where(kept))
    connection.execute(update(Event).where(of_books).values(book_id=book_id))


def _give_subjects_back(connection: Connection, merge_ids: list[int], book_ids: Sequence[int]) -> None:
    kept = (
        select(Merge.book_id, MergedSubject.subject_id, MergedSubject.position)
        .join(Merge, Merge.merge_id == MergedSubject.merge_id)
        .where(Merge.merge_id.in_(merge_ids), ~exists().where(BookSubject.book_id == Merge.book_id))
    )
    connection.execute(insert(BookSubject).from_select(list(kept.selected_columns.keys()), kept))
    update_main_subjects(connection, Book.book_id.in_(book_ids))


def _give_books_back(connection: Connection, merge_ids: list[int]) -> None:
    """Books whose heir a merged one had been have it for their heir again."""
    kept = MergedBook.merge_id.in_(merge_ids)
    book_id = (
        select(Merge.book_id)
        .join(MergedBook, MergedBook.merge_id == Merge.merge_id)
        .where(kept, MergedBook.book_id == Book.book_id)
        .scalar_subquery()
    )
    still_merged = Book.book_id.in_(select(MergedBook.book_id).where(kept)), Book.replaced_by.is_not(None)
    connection.execute(update(Book).where(*still_merged).values(replaced_by=book_id))
