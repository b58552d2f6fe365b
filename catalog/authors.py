"""Queries about authors."""

from sqlalchemy import Select, Subquery, func, select
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
    rows = session.execute(_count_books(page).order_by(page.c.name_key))
    total = session.scalar(select(func.count()).select_from(Author).where(begins_so))
    return [AuthorRow(*row) for row in rows], total or 0


def list_authors_of(session: Session, book_id: int) -> list[AuthorRow]:
    """Who wrote a book, as its title page names them."""
    theirs = (
        select(Author.author_id, Author.name, BookAuthor.position)
        .join(BookAuthor, BookAuthor.author_id == Author.author_id)
        .where(BookAuthor.book_id == book_id)
        .subquery()
    )
    return [AuthorRow(*row) for row in session.execute(_count_books(theirs).order_by(theirs.c.position))]


def _count_books(authors: Subquery) -> Select[int, str, int]:
    """Id, name and number of shown books of each of these authors."""
    n_books = (
        select(func.count())
        .select_from(BookAuthor)
        .join(Book, Book.book_id == BookAuthor.book_id)
        .where(BookAuthor.author_id == authors.c.author_id, Book.hidden.is_(None), Book.replaced_by.is_(None))
        .scalar_subquery()
    )
    return select(authors.c.author_id, authors.c.name, n_books)
