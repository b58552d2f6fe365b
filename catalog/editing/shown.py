"""What operators are shown of a book: all that is stored, also of one that readers do not see."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from catalog.errors import BookUnknown, EditionUnknown
from catalog.isbn import parse_isbn
from catalog.tables import (
    Author,
    Book,
    BookAuthor,
    BookEdit,
    BookSubject,
    Edition,
    Hidden,
    Rating,
    Subject,
)


@dataclass(frozen=True, slots=True)
class StoredBook:
    """A book as the catalog has it."""

    book_id: int
    source: str
    external_id: str
    title: str
    authors: list[str]
    year: int | None
    language: str | None
    description: str | None
    n_pages: int | None
    subjects: list[str]
    """The most telling first."""
    isbns: list[str]
    n_ratings: int
    hidden: str | None
    """Why it is shown to nobody."""
    part_of: int | None
    """The book that has replaced it."""
    settled: list[str]
    """What imports leave as an operator has written it."""


class Visibility(StrEnum):
    """Whether readers see a book, and if not, why."""

    SHOWN = "shown"
    WITHDRAWN = "withdrawn"
    UNTITLED = "untitled"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class BookLine:
    """A line of a list of books."""

    book_id: int
    source: str
    external_id: str
    title: str
    year: int | None
    hidden: str | None
    part_of: int | None


_VISIBLE: Final[Mapping[Visibility, tuple[ColumnElement[bool], ...]]] = {
    Visibility.SHOWN: (Book.hidden.is_(None), Book.replaced_by.is_(None)),
    Visibility.WITHDRAWN: (Book.hidden == Hidden.WITHDRAWN,),
    Visibility.UNTITLED: (Book.hidden == Hidden.UNTITLED,),
    Visibility.MERGED: (Book.replaced_by.is_not(None),),
}


def list_books(
    session: Session, *, title: str = "", visibility: Visibility | None = None, limit: int, offset: int
) -> tuple[int, list[BookLine]]:
    """How many books there are with this in their titles, in any case, and a page of them by book_id."""
    conditions = list(_VISIBLE[visibility]) if visibility else []
    if title:
        conditions.append(func.lower(Book.title).contains(title.lower(), autoescape=True))
    total = session.scalar(select(func.count()).select_from(Book).where(*conditions)) or 0
    columns = (Book.book_id, Book.source, Book.external_id, Book.title, Book.year, Book.hidden)
    page = select(*columns, Book.replaced_by.label("part_of")).where(*conditions).order_by(Book.book_id)
    return total, [BookLine(**row._mapping) for row in session.execute(page.limit(limit).offset(offset))]


def read_book(session: Session, book_id: int) -> StoredBook:
    """A book by its id. Raises BookUnknown."""
    book = session.get(Book, book_id)
    if book is None:
        raise BookUnknown(book_id)
    authors = select(Author.name).join(BookAuthor).filter(BookAuthor.book_id == book_id)
    subjects = select(Subject.name).join(BookSubject).filter(BookSubject.book_id == book_id)
    isbns = select(Edition.isbn13).filter_by(book_id=book_id).order_by(Edition.isbn13)
    settled = select(BookEdit.field).filter_by(book_id=book_id).order_by(BookEdit.field)
    return StoredBook(
        book_id=book_id,
        source=book.source,
        external_id=book.external_id,
        title=book.title,
        authors=list(session.scalars(authors.order_by(BookAuthor.position))),
        year=book.year,
        language=book.language,
        description=book.description,
        n_pages=book.n_pages,
        subjects=list(session.scalars(subjects.order_by(BookSubject.position))),
        isbns=list(session.scalars(isbns)),
        n_ratings=session.scalar(select(func.count()).where(Rating.book_id == book_id)) or 0,
        hidden=book.hidden,
        part_of=book.replaced_by,
        settled=list(session.scalars(settled)),
    )


def find_edition(session: Session, isbn: str) -> int:
    """The book of an ISBN. Raises IsbnInvalid or EditionUnknown."""
    isbn13 = parse_isbn(isbn)
    book_id = session.scalar(select(Edition.book_id).filter_by(isbn13=isbn13))
    if book_id is None:
        raise EditionUnknown(isbn13)
    return book_id
