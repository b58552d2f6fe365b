"""What an operator sees of merges."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from catalog.tables import Book, Merge, MergedEdition, MergedRating


@dataclass(frozen=True, slots=True)
class MergedBookRow:
    """A book that is part of another one now."""

    book_id: int
    source: str
    external_id: str
    title: str
    heir_id: int
    heir_title: str
    merged_at: int | None
    """Seconds since 1970 UTC; None where nothing was kept: for a book that never stood alone, or by 0.2.0."""
    n_editions: int
    n_ratings: int
    """What the book had then."""


def count_merges(session: Session) -> int:
    """How many books have an heir."""
    return session.scalar(select(func.count()).where(Book.replaced_by.is_not(None))) or 0


def list_merges(session: Session, *, limit: int) -> list[MergedBookRow]:
    """Books that have an heir, the newest merge first."""
    heir = aliased(Book)
    newest = (
        select(Merge.book_id, func.max(Merge.merge_id).label("merge_id")).group_by(Merge.book_id).subquery()
    )
    n_editions = (
        select(func.count())
        .where(MergedEdition.merge_id == Merge.merge_id)
        .correlate(Merge)
        .scalar_subquery()
    )
    n_ratings = (
        select(func.count())
        .where(MergedRating.merge_id == Merge.merge_id, MergedRating.book_id == Merge.book_id)
        .correlate(Merge)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Book.book_id, Book.source, Book.external_id, Book.title, heir.book_id.label("heir_id"),
            heir.title.label("heir_title"), Merge.merged_at, n_editions.label("n_editions"),
            n_ratings.label("n_ratings"),
        )
        .join(heir, heir.book_id == Book.replaced_by)
        .outerjoin(newest, newest.c.book_id == Book.book_id)
        .outerjoin(Merge, Merge.merge_id == newest.c.merge_id)
        .order_by(func.coalesce(Merge.merge_id, 0).desc(), Book.book_id.desc())
        .limit(limit)
    )  # fmt: skip
    return [MergedBookRow(**row._mapping) for row in rows]
