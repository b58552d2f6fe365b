"""What tests read of a catalog and of an import's report."""

from typing import Any

from sqlalchemy import func, select

from catalog.books import BookRow, find_by_isbn, read_titles
from catalog.database import Database
from catalog.importing import ImportReport
from catalog.tables import Base, Book, BookSubject, CatalogIdentity, Job, Rating, StoredReport, Subject
from catalog.users import find_user, read_profile
from tests.catalog.shelf import isbn


def dropped(report: ImportReport, file: str) -> dict[str, int]:
    return next(entry.dropped for entry in report.files if entry.name == file)


def count(db: Database, table: type[Base]) -> int:
    with db.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def book_of(db: Database, number: int) -> BookRow:
    with db.session() as session:
        book_id = find_by_isbn(session, isbn(number))
        assert book_id is not None
        return read_titles(session, [book_id])[book_id]


def ratings_of(db: Database, external_id: str, source: str = "lists") -> dict[str, float | None]:
    """Ratings of a reader by title, oldest first."""
    with db.session() as session:
        reader = read_profile(session, find_user(session, source, external_id) or 0)
        assert reader is not None
        titles = read_titles(session, [book_id for book_id, _ in reader.history])
        return {titles[book_id].title: value for book_id, value in reader.history}


def subjects_of(db: Database, external_id: str) -> list[str]:
    """Subjects of a book by the id that its source knows it by, the most telling first."""
    query = (
        select(Subject.name)
        .join(BookSubject, BookSubject.subject_id == Subject.subject_id)
        .join(Book, Book.book_id == BookSubject.book_id)
        .where(Book.external_id == external_id)
        .order_by(BookSubject.position)
    )
    with db.session() as session:
        return list(session.scalars(query))


def pairs_of_shown(db: Database) -> set[tuple[int, int]]:
    """Who has rated which book that is shown."""
    with db.session() as session:
        shown = select(Rating.user_id, Rating.book_id).join(Book, Book.book_id == Rating.book_id)
        return {(row[0], row[1]) for row in session.execute(shown.where(Book.hidden.is_(None)))}


def contents(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but what caches ask for, what the worker is told, and reports."""
    with db.session() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(
                    select(*(column for column in table.columns if column.name != "revision")).order_by(
                        *table.primary_key
                    )
                )
            ]
            for table in Base.metadata.sorted_tables
            if table.name not in {each.__tablename__ for each in (CatalogIdentity, Job, StoredReport)}
        }
