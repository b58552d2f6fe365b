"""Queues rows of books, their authors and editions, and writes them in the order that their keys need.

Of what is stored only that is written which the source has changed.
"""

import time
from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Connection, case, exists, false, func, null, select, true, update

from catalog.buckets import UNKNOWN
from catalog.bulk import CHUNK_ROWS, RowWriter
from catalog.cleaning import author_key, title_heading
from catalog.edits import Settled
from catalog.importing.changes import Changes, find_differing
from catalog.importing.identity import EditionChange
from catalog.importing.ids import read_dict, read_ids
from catalog.tables import (
    NAME_LENGTH,
    TITLE_LENGTH,
    Author,
    AuthorAlias,
    Book,
    BookAuthor,
    BookEdit,
    EditedField,
    Edition,
    Hidden,
)

_COLUMNS = ("title", "year", "language", "description")


class CleanBook(NamedTuple):
    """What is written of a book."""

    title: str
    authors: list[str]
    year: int | None = None
    language: str | None = None
    description: str | None = None
    hidden: Hidden | None = None
    """Only of a new book."""


_OWN_YEAR = case((Book.filled_year, null()), else_=Book.year)
_STORED_BOOKS = select(Book.book_id, Book.title, _OWN_YEAR, Book.language, Book.description)
_STORED_EDITIONS = select(Edition.isbn13, Edition.book_id, Edition.year, Edition.n_pages)


class BookRows:
    """Queues what it is told to write, and writes nothing before `flush`."""

    def __init__(self, connection: Connection, source: str, settled: Settled) -> None:
        self._connection, self._source, self._settled = connection, source, settled
        self.books, self.editions = Changes(), Changes()
        aliases = read_dict(connection, select(AuthorAlias.name_key, AuthorAlias.author_id))
        names = select(Author.name_key, Author.author_id)
        self._author_ids = read_ids(connection, names, Author.author_id, aliases=aliases)
        self._author_names = read_dict(connection, select(Author.author_id, Author.name))
        self._named: set[int] = set(aliases.values())
        new = ("book_id", "source", "external_id", "replaced_by", "hidden", *_COLUMNS, "heading")
        # Most new books of a dump may be of an ISBN alone: these are not written again for their buckets.
        known = {"created_at": int(time.time()), "year_bucket": UNKNOWN, "page_bucket": UNKNOWN}
        self._new = RowWriter.inserting(connection, Book, *new, **known)
        described = (*_COLUMNS, "heading")
        self._changed = RowWriter.updating(connection, Book, *described, where=["book_id"], filled_year=False)
        self._stored: dict[int, CleanBook] = {}
        self._authors = RowWriter.inserting(connection, Author, "author_id", "name", "name_key")
        self._changed_authors = RowWriter.updating(connection, Author, "name", where=["author_id"])
        self._stale_authors = RowWriter.deleting(connection, BookAuthor, where=["book_id"])
        self._book_authors = RowWriter.inserting(connection, BookAuthor, "book_id", "author_id", "position")
        columns = ("book_id", "year", "n_pages")
        self._editions = RowWriter.inserting(connection, Edition, "isbn13", *columns)
        self._changed_editions = RowWriter.updating(connection, Edition, *columns, where=["isbn13"])
        self._stored_editions: dict[str, tuple[int, int | None, int | None]] = {}

    def insert(
        self, book_id: int, external_id: str, book: CleanBook, *, replaced_by: int | None = None
    ) -> None:
        """Write a new book."""
        self.books.new += 1
        known_by = book_id, self._source, external_id, replaced_by, book.hidden
        self._new.add(*known_by, *_columns(book), title_heading(book.title))
        self._add_authors(book_id, self._find_authors(book.authors))

    def update(self, book_id: int, book: CleanBook) -> None:
        """Write a stored book anew, but for what an operator has written."""
        self._stored[book_id] = self._keep_edited(book_id, book) if book_id in self._settled.fields else book
        if len(self._stored) >= CHUNK_ROWS:
            self._compare_books()

    def change_edition(
        self, change: EditionChange, isbn: str, book_id: int, *, year: int | None, n_pages: int | None
    ) -> None:
        """Write an ISBN's row, where that is what to do."""
        if change is EditionChange.INSERT:
            self.editions.new += 1
            self._editions.add(isbn, book_id, year, n_pages)
        elif change is EditionChange.UPDATE:
            self._stored_editions[isbn] = book_id, year, n_pages
        if len(self._stored_editions) >= CHUNK_ROWS:
            self._compare_editions()

    def fill_years(self) -> None:
        """Give books without a year that of their first edition."""
        settled = exists().where(BookEdit.book_id == Book.book_id, BookEdit.field == EditedField.YEAR)
        own = update(Book).where(Book.source == self._source, ~settled)
        of_editions = select(func.min(Edition.year)).where(Edition.book_id == Book.book_id)
        first_year = of_editions.scalar_subquery()
        is_known = exists().where(Edition.book_id == Book.book_id, Edition.year.is_not(None))
        self._connection.execute(own.where(Book.year.is_(None), is_known).values(filled_year=true()))
        self._connection.execute(own.where(Book.filled_year).values(year=first_year))
        self._connection.execute(own.where(Book.filled_year, Book.year.is_(None)).values(filled_year=false()))

    def show_titled(self) -> None:
        """Books that were of an ISBN alone and have a title by now are books like others."""
        untitled = Book.source == self._source, Book.hidden == Hidden.UNTITLED
        titled = update(Book).where(*untitled, Book.title != Book.external_id)
        self._connection.execute(titled.values(hidden=None))

    def flush(self) -> None:
        """Write what is queued, parents first."""
        self._compare_books()
        self._compare_editions()
        for rows in (
            self._new, self._changed, self._authors, self._changed_authors, self._stale_authors,
            self._book_authors, self._editions, self._changed_editions,
        ):  # fmt: skip
            rows.flush()

    def _keep_edited(self, book_id: int, book: CleanBook) -> CleanBook:
        """The book with what is stored in each column that is an operator's."""
        names = [name for name in _COLUMNS if name in self._settled.fields[book_id]]
        stored = select(*(Book.__table__.columns[name] for name in names)).where(Book.book_id == book_id)
        return book._replace(**self._connection.execute(stored).one()._mapping) if names else book

    def _compare_books(self) -> None:
        """Queue those of the stored books that are not as the source has them now."""
        books, self._stored = self._stored, {}
        if not books:
            return
        authors = {
            book_id: self._find_authors(book.authors)
            for book_id, book in books.items()
            if not self._settled.has(book_id, EditedField.AUTHORS)
        }
        stored_authors = _read_authors(self._connection, list(authors))
        of_others = [book_id for book_id in authors if authors[book_id] != stored_authors[book_id]]
        rows = {book_id: _columns(book) for book_id, book in books.items()}
        differing = find_differing(self._connection, _STORED_BOOKS, rows)
        for book_id in differing:
            self._changed.add(*rows[book_id], title_heading(books[book_id].title), book_id)
        for book_id in of_others:
            self._stale_authors.add(book_id)
            self._add_authors(book_id, authors[book_id])
        n_changed = len({*differing, *of_others})
        self.books.changed += n_changed
        self.books.unchanged += len(books) - n_changed

    def _compare_editions(self) -> None:
        editions, self._stored_editions = self._stored_editions, {}
        differing = find_differing(self._connection, _STORED_EDITIONS, editions)
        for isbn in differing:
            self._changed_editions.add(*editions[isbn], isbn)
        self.editions.changed += len(differing)
        self.editions.unchanged += len(editions) - len(differing)

    def _find_authors(self, authors: list[str]) -> list[int]:
        """Their ids, in order."""
        author_ids: list[int] = []
        first_names: dict[str, str] = {}
        for name in authors:
            first_names.setdefault(author_key(name)[:NAME_LENGTH].strip(), name)
        for key, name in first_names.items():
            author_id, is_new = self._author_ids.get_or_create(key)
            if is_new:
                self._authors.add(author_id, name, key)
            elif author_id not in self._named and self._author_names.get(author_id, name) != name:
                self._changed_authors.add(name, author_id)
            self._named.add(author_id)  # of several spellings in one source the first counts
            author_ids.append(author_id)
        return author_ids

    def _add_authors(self, book_id: int, author_ids: list[int]) -> None:
        for position, author_id in enumerate(author_ids):
            self._book_authors.add(book_id, author_id, position)


def _columns(book: CleanBook) -> tuple[object, ...]:
    return book.title[:TITLE_LENGTH], book.year, book.language, book.description


def _read_authors(connection: Connection, book_ids: list[int]) -> dict[int, list[int]]:
    """Ids of the authors of stored books, in order."""
    authors: dict[int, list[int]] = defaultdict(list)
    rows = connection.execute(
        select(BookAuthor.book_id, BookAuthor.author_id)
        .where(BookAuthor.book_id.in_(book_ids))
        .order_by(BookAuthor.book_id, BookAuthor.position)
    )
    for book_id, author_id in rows:
        authors[book_id].append(author_id)
    return authors
