"""Queries about authors."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.cleaning import author_key
from catalog.editing.authors import AuthorRow
from catalog.tables import Author, Book, BookAuthor

_LAST: str = chr(0x10FFFF)
"""After every other character: names are sorted by code points in each database."""


def read_author(session: Session, author_id: int) -> str | None:
    """The name of an author; None if there is none of this id."""
    return session.scalar(select(Author.name).filter_by(author_id=author_id))


def find_authors(session: Session, *, prefix: str, limit: int, offset: int) -> tuple[list[AuthorRow], int]:
    """A page of the authors whose names begin so, in any case and without accents, by name; and how many."""
    key = author_key(prefix)
    begins_so = (Author.name_key >= key) & (Author.name_key < key + _LAST)
    page = (
        select(Author.author_id, Author.name, Author.name_key)
        .where(begins_so)
        .order_by(Author.name_key)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    n_books = (
        select(func.count())
        .select_from(BookAuthor)
        .join(Book, Book.book_id == BookAuthor.book_id)
        .where(BookAuthor.author_id == page.c.author_id, Book.hidden.is_(None), Book.replaced_by.is_(None))
        .scalar_subquery()
    )
    rows = session.execute(select(page.c.author_id, page.c.name, n_books).order_by(page.c.name_key))
    total = session.scalar(select(func.count()).select_from(Author).where(begins_so))
    return [AuthorRow(*row) for row in rows], total or 0
