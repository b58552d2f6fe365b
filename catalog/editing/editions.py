"""Changes of editions; imports leave an ISBN where an operator has put it."""

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.orm import Session

from catalog.editing.change import changing, check_current
from catalog.edits import settle_isbn
from catalog.errors import EditConflict, EditionUnknown
from catalog.isbn import parse_isbn
from catalog.tables import Book, Edition, Hidden


def add_edition(
    session: Session, isbn: str, book_id: int, *, year: int | None = None, n_pages: int | None = None
) -> None:
    """Give a book an ISBN that no book has. Raises IsbnInvalid, BookUnknown or EditConflict."""
    isbn13 = parse_isbn(isbn)
    with changing(session) as connection:
        check_current(connection, book_id)
        insert_edition(connection, isbn13, book_id, year=year, n_pages=n_pages)


def move_edition(session: Session, isbn: str, book_id: int) -> int:
    """Give a book an ISBN of another one, and tell which that was.

    Ratings stay where they are until the next import of a source that names the ISBN. Raises IsbnInvalid,
    EditionUnknown, BookUnknown or EditConflict.
    """
    isbn13 = parse_isbn(isbn)
    with changing(session) as connection:
        check_current(connection, book_id)
        former = _read_book(connection, isbn13)
        if former == book_id:
            raise EditConflict(f"ISBN {isbn13} is one of book {book_id} already", book_id=book_id)
        connection.execute(update(Edition).where(Edition.isbn13 == isbn13).values(book_id=book_id))
        settle_isbn(connection, isbn13, moved_from=former)
    return former


def remove_edition(session: Session, isbn: str) -> int:
    """Take an ISBN away from its book, and tell which that was. Raises IsbnInvalid or EditionUnknown."""
    isbn13 = parse_isbn(isbn)
    with changing(session) as connection:
        former = _read_book(connection, isbn13)
        connection.execute(delete(Edition).where(Edition.isbn13 == isbn13))
        settle_isbn(connection, isbn13, moved_from=former)
    return former


def insert_edition(
    connection: Connection, isbn13: str, book_id: int, *, year: int | None = None, n_pages: int | None = None
) -> None:
    """Give a book a canonical ISBN. Raises EditConflict if a book has it."""
    owner = connection.execute(
        select(Book.book_id, Book.hidden)
        .join(Edition, Edition.book_id == Book.book_id)
        .where(Edition.isbn13 == isbn13)
    ).one_or_none()
    if owner is not None:
        remedy = (
            f"`bookmesh books change {owner.book_id} --title TITLE` gives that one its title"
            if owner.hidden == Hidden.UNTITLED
            else f"`bookmesh editions move {isbn13} BOOK` moves it"
        )
        raise EditConflict(f"ISBN {isbn13} is one of book {owner.book_id}; {remedy}", book_id=owner.book_id)
    values = {"isbn13": isbn13, "book_id": book_id, "year": year, "n_pages": n_pages}
    connection.execute(insert(Edition).values(values))
    settle_isbn(connection, isbn13, moved_from=None)


def _read_book(connection: Connection, isbn13: str) -> int:
    book_id = connection.scalar(select(Edition.book_id).where(Edition.isbn13 == isbn13))
    if book_id is None:
        raise EditionUnknown(isbn13)
    return book_id
