"""Finds the books that rows of a library may be: a few statements for all rows."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from catalog.library.names import Name, read_name
from catalog.library.titles import Title, read_title
from catalog.tables import Author, AuthorAlias, Book, BookAuthor, Edition, Rating

CURRENT_ID: Final = func.coalesce(Book.replaced_by, Book.book_id)
"""The book itself, or the one that has replaced it."""
_AT_ONCE: Final = 500
"""Values that stand in one statement."""
_MOST_BOOKS: Final = 500
"""A title or an author of more tells no book: "Various"."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A book that a row may be."""

    book_id: int
    """Its heir's, if it was replaced."""
    title: Title
    authors: tuple[Name, ...]
    year: int | None
    """Of first publication; None also for one that is of an edition."""


def find_by_isbns(session: Session, isbns: Collection[str]) -> dict[str, list[int]]:
    """The book of each of these canonical ISBN-13s that any has."""
    return _find(session, select(Edition.isbn13, Edition.book_id), Edition.isbn13, isbns)


def find_by_headings(session: Session, headings: Collection[str]) -> dict[str, list[int]]:
    """The books of each of these titles, as `title_heading` writes them."""
    return _find(session, select(Book.heading, Book.book_id), Book.heading, headings)


def find_by_authors(session: Session, keys: Collection[str]) -> dict[str, list[int]]:
    """The books by each of these authors, by their keys."""
    found: dict[str, list[int]] = {}
    for names in (Author, AuthorAlias):
        books = select(names.name_key, BookAuthor.book_id).join(
            BookAuthor, BookAuthor.author_id == names.author_id
        )
        found |= _find(session, books, names.name_key, keys)
    return found


def read_candidates(session: Session, book_ids: Collection[int]) -> dict[int, Candidate]:
    """Those of the books that are shown, or whose heir is."""
    names = defaultdict[int, list[Name]](list)
    authors = select(BookAuthor.book_id, Author.name).join(Author, Author.author_id == BookAuthor.author_id)
    for book_id, name in read_parts(session, authors, BookAuthor.book_id, book_ids):
        names[book_id].append(read_name(name))
    current = aliased(Book)
    books = select(Book.book_id, current.book_id, Book.title, Book.year, Book.filled_year).join(
        current, (current.book_id == CURRENT_ID) & current.hidden.is_(None)
    )
    return {
        own_id: Candidate(
            book_id, read_title(title), tuple(filter(None, names[own_id])), None if is_filled else year
        )
        for own_id, book_id, title, year, is_filled in read_parts(session, books, Book.book_id, book_ids)
    }


def count_readers_of(session: Session, book_ids: Collection[int]) -> dict[int, int]:
    """How many readers each of these books has, if any."""
    counted = select(Rating.book_id, func.count()).group_by(Rating.book_id)
    return {int(book_id): int(n) for book_id, n in read_parts(session, counted, Rating.book_id, book_ids)}


def read_parts(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    column: InstrumentedAttribute[Any],
    values: Collection[Any],
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows whose column has one of the values."""
    ordered = sorted(values)
    for start in range(0, len(ordered), _AT_ONCE):
        yield from session.execute(statement.where(column.in_(ordered[start : start + _AT_ONCE])))


def _find(
    session: Session, pairs: Select[Any, int], column: InstrumentedAttribute[Any], values: Collection[str]
) -> dict[str, list[int]]:
    found = defaultdict[str, list[int]](list)
    for value, book_id in read_parts(session, pairs, column, values):
        found[value].append(book_id)
    return {value: book_ids for value, book_ids in found.items() if len(book_ids) <= _MOST_BOOKS}
