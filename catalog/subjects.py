"""Queries about subjects, and what follows from the subjects of books."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select, update
from sqlalchemy.orm import Session

from catalog.tables import Book, BookSubject, Subject

MAX_SUBJECTS_A_BOOK = 20


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject and how many books it has."""

    name: str
    n_books: int


def list_subjects(session: Session) -> list[SubjectRow]:
    """Every subject that has books: the largest first, generic ones last."""
    rows = session.execute(
        select(Subject.name, Subject.n_books)
        .where(Subject.n_books > 0)
        .order_by(Subject.is_generic, Subject.n_books.desc(), Subject.name)
    )
    return [SubjectRow(name, n_books) for name, n_books in rows]


def update_main_subjects(
    connection: Connection, books: ColumnElement[bool], *, recounted: Collection[int] | None = None
) -> None:
    """Work out the main subjects of these books, and how many shown books each subject has.

    `recounted` are those whose books are others, all by default: half a second's work of 250,000 books.
    """
    main = (
        select(BookSubject.subject_id)
        .join(Subject, Subject.subject_id == BookSubject.subject_id)
        .where(BookSubject.book_id == Book.book_id, Subject.is_generic.is_(False))
        .order_by(BookSubject.position)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(update(Book).where(books).values(main_subject_id=main))
    n_books = (
        select(func.count())
        .select_from(BookSubject)
        .join(Book, Book.book_id == BookSubject.book_id)
        .where(BookSubject.subject_id == Subject.subject_id, Book.hidden.is_(None))
        .scalar_subquery()
    )
    counting = update(Subject).values(n_books=n_books)
    if recounted is not None:
        counting = counting.where(Subject.subject_id.in_(recounted))
    connection.execute(counting)


def read_subject_ids(connection: Connection, book_id: int) -> set[int]:
    """The subjects of a book."""
    return set(connection.scalars(select(BookSubject.subject_id).where(BookSubject.book_id == book_id)))
