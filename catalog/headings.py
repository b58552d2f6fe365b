"""Writes the headings by which titles are looked up, of books that have none yet."""

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from catalog.bulk import RowWriter
from catalog.cleaning import title_heading
from catalog.tables import Book


def lacks_headings(session: Session) -> bool:
    """Whether a book has none."""
    return session.scalar(select(Book.book_id).where(Book.heading.is_(None)).limit(1)) is not None


def fill_headings(connection: Connection, *, most: int | None = None) -> int:
    """Write those that an earlier release, or an export of one, has left out; how many they were.

    `most` bounds how long others wait for the books.
    """
    without = select(Book.book_id, Book.title).where(Book.heading.is_(None)).limit(most)
    missing = connection.execute(without).all()
    writer = RowWriter.updating(connection, Book, "heading", where=["book_id"])
    writer.extend((title_heading(title), book_id) for book_id, title in missing)
    return len(missing)
