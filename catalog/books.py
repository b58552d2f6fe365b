"""Queries about books: titles, ISBNs and subjects, for many books at a time."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from catalog.errors import BookUnknown
from catalog.tables import Author, Book, BookAuthor, BookSubject, Edition, Hidden, Rating, Subject


@dataclass(frozen=True, slots=True)
class BookRow:
    """What the catalog tells a reader about a book."""

    book_id: int
    source: str
    external_id: str
    title: str
    authors: tuple[str, ...]
    year: int | None
    n_pages: int | None
    language: str | None
    description: str | None
    isbns: tuple[str, ...]
    """Canonical ISBN-13s, ascending."""
    main_subject: str | None
    subjects: tuple[str, ...]
    """The most telling first."""


def read_titles(session: Session, book_ids: Collection[int]) -> dict[int, BookRow]:
    """Rows of the books that exist and are shown, in the order asked; at most 10,000 a call."""
    books = {
        book.book_id: book
        for book in session.execute(
            select(
                Book.book_id, Book.source, Book.external_id,
                Book.title, Book.year, Book.n_pages, Book.language, Book.description,
                Subject.name.label("main_subject"),
            )
            .outerjoin(Subject, Subject.subject_id == Book.main_subject_id)
            .where(Book.book_id.in_(book_ids), Book.hidden.is_(None))
        )
    }  # fmt: skip
    authors = _grouped(
        session.execute(
            select(BookAuthor.book_id, Author.name)
            .join(Author, Author.author_id == BookAuthor.author_id)
            .where(BookAuthor.book_id.in_(book_ids))
            .order_by(BookAuthor.book_id, BookAuthor.position)
        )
    )
    isbns = _grouped(
        session.execute(
            select(Edition.book_id, Edition.isbn13)
            .where(Edition.book_id.in_(book_ids))
            .order_by(Edition.book_id, Edition.isbn13)
        )
    )
    subjects = _grouped(
        session.execute(
            select(BookSubject.book_id, Subject.name)
            .join(Subject, Subject.subject_id == BookSubject.subject_id)
            .where(BookSubject.book_id.in_(book_ids))
            .order_by(BookSubject.book_id, BookSubject.position)
        )
    )
    return {
        book_id: BookRow(
            **books[book_id]._mapping,
            authors=tuple(authors[book_id]),
            isbns=tuple(isbns[book_id]),
            subjects=tuple(subjects[book_id]),
        )
        for book_id in book_ids
        if book_id in books
    }


def find_by_isbn(session: Session, isbn13: str) -> int | None:
    """The book of which a canonical ISBN-13 (see `catalog.isbn.parse_isbn`) is an edition, or its heir.

    None if there is none, or a hidden one.
    """
    current = func.coalesce(Book.replaced_by, Book.book_id)
    return session.scalar(
        select(current)
        .join(Edition, Edition.book_id == Book.book_id)
        .where(Edition.isbn13 == isbn13, Book.hidden.is_(None))
    )


def read_subjects_of(session: Session, book_ids: Collection[int]) -> list[str]:
    """Subjects of these books, those of most of them first; generic ones, which tell nothing, left out."""
    n_books = func.count()
    return list(
        session.scalars(
            select(Subject.name)
            .join(BookSubject, BookSubject.subject_id == Subject.subject_id)
            .where(BookSubject.book_id.in_(book_ids), Subject.is_generic.is_(False))
            .group_by(Subject.subject_id, Subject.name)
            .order_by(n_books.desc(), Subject.name)
        )
    )


def read_most_read(session: Session, limit: int) -> list[tuple[int, int]]:
    """(book_id, number of ratings) of the shown books with the most, ties by id; replaced ones left out."""
    n_ratings = func.count(Rating.user_id)
    rows = session.execute(
        select(Book.book_id, n_ratings)
        .outerjoin(Rating, Rating.book_id == Book.book_id)
        .where(Book.replaced_by.is_(None), Book.hidden.is_(None))
        .group_by(Book.book_id)
        .order_by(n_ratings.desc(), Book.book_id)
        .limit(limit)
    )
    return [(book_id, count) for book_id, count in rows]


def find_current(session: Session, book_id: int, *, is_shown: bool = False) -> int:
    """The book itself, or the one that has replaced it; `is_shown` demands that it is not hidden.

    It stays so until the transaction ends: merges wait. Raises BookUnknown.
    """
    query = select(Book.replaced_by, Book.hidden).filter_by(book_id=book_id)
    found = session.execute(query.with_for_update(read=True, key_share=True)).one_or_none()
    if found is None:
        raise BookUnknown(book_id)
    if found.replaced_by is not None:
        return find_current(session, found.replaced_by, is_shown=is_shown)
    if is_shown and found.hidden is not None:
        raise BookUnknown(book_id)
    return book_id


def find_all_current(session: Session, book_ids: Collection[int]) -> dict[int, int]:
    """For each of these books that is shown itself, or for those that were replaced the one that is now.

    They stay so until the transaction ends, as with `find_current`.
    """
    query = select(Book.book_id, Book.replaced_by, Book.hidden).order_by(Book.book_id)
    locked = query.where(Book.book_id.in_(book_ids)).with_for_update(read=True, key_share=True)
    books = session.execute(locked).all()
    current = {book.book_id: book.book_id for book in books if book.replaced_by is None and not book.hidden}
    replaced = {book.book_id: book.replaced_by for book in books if book.replaced_by is not None}
    if replaced:
        heirs = find_all_current(session, set(replaced.values()))
        current |= {book_id: heirs[heir] for book_id, heir in replaced.items() if heir in heirs}
    return current


def read_withdrawn(session: Session) -> frozenset[int]:
    """Books that an operator has taken out: versions that were trained before still know them."""
    return frozenset(session.scalars(select(Book.book_id).filter_by(hidden=Hidden.WITHDRAWN)))


def read_heirs(session: Session) -> dict[int, int]:
    """The book that every replaced one is part of now."""
    rows = session.execute(select(Book.book_id, Book.replaced_by).where(Book.replaced_by.is_not(None)))
    heirs = {book_id: heir_id for book_id, heir_id in rows if heir_id is not None}
    for book_id in heirs:
        while (later := heirs.get(heirs[book_id])) is not None:
            heirs[book_id] = later
    return heirs


def _grouped(rows: Iterable[Row[int, str]]) -> dict[int, list[str]]:
    grouped: dict[int, list[str]] = defaultdict(list)
    for book_id, value in rows:
        grouped[book_id].append(value)
    return grouped
