"""Queues rows of books, their authors and editions, and writes them in the order that their keys need."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from catalog.bulk import RowWriter
from catalog.cleaning import author_key
from catalog.importing.identity import EditionChange
from catalog.importing.ids import read_dict, read_ids
from catalog.tables import NAME_LENGTH, TITLE_LENGTH, Author, Book, BookAuthor, Edition


class CleanBook(NamedTuple):
    """What is written of a book."""

    title: str
    authors: list[str]
    year: int | None = None
    language: str | None = None
    description: str | None = None


class BookRows:
    """Writes what it is told to, some thousand rows at a time; call `flush` at the end."""

    def __init__(self, connection: Connection, source: str) -> None:
        self._connection, self._source = connection, source
        self._author_ids = read_ids(connection, select(Author.name_key, Author.author_id), Author.author_id)
        self._author_names = read_dict(connection, select(Author.author_id, Author.name))
        self._named: set[int] = set()
        columns = ("title", "year", "language", "description")
        new = ("book_id", "source", "external_id", "replaced_by", *columns)
        self._new = RowWriter.inserting(connection, Book, *new)
        self._changed = RowWriter.updating(connection, Book, *columns, where=["book_id"])
        self._changed_ids: list[int] = []
        self._authors = RowWriter.inserting(connection, Author, "author_id", "name", "name_key")
        self._changed_authors = RowWriter.updating(connection, Author, "name", where=["author_id"])
        self._book_authors = RowWriter.inserting(connection, BookAuthor, "book_id", "author_id", "position")
        self._editions = RowWriter.inserting(connection, Edition, "isbn13", "book_id", "year")
        self._changed_editions = RowWriter.updating(connection, Edition, "book_id", "year", where=["isbn13"])

    def insert(
        self, book_id: int, external_id: str, book: CleanBook, *, replaced_by: int | None = None
    ) -> None:
        """Write a new book."""
        self._new.add(book_id, self._source, external_id, replaced_by, *_columns(book))
        self._add_authors(book_id, book.authors)

    def update(self, book_id: int, book: CleanBook) -> None:
        """Write a stored book anew."""
        self._changed.add(*_columns(book), book_id)
        self._changed_ids.append(book_id)
        self._add_authors(book_id, book.authors)

    def change_edition(self, change: EditionChange, isbn: str, book_id: int, year: int | None) -> None:
        """Write an ISBN's row, where that is what to do."""
        if change is EditionChange.INSERT:
            self._editions.add(isbn, book_id, year)
        elif change is EditionChange.UPDATE:
            self._changed_editions.add(book_id, year, isbn)
        if self._editions.is_full:
            self.flush()

    def fill_years(self) -> None:
        """Give books without a year that of their first edition."""
        first_year = select(func.min(Edition.year)).where(Edition.book_id == Book.book_id).scalar_subquery()
        yearless = update(Book).where(Book.source == self._source, Book.year.is_(None))
        self._connection.execute(yearless.values(year=first_year))

    def flush(self) -> None:
        """Write what is queued, parents first."""
        self._new.flush()
        if self._changed_ids:
            stale = delete(BookAuthor).where(BookAuthor.book_id.in_(self._changed_ids))
            self._connection.execute(stale)
            self._changed_ids.clear()
        for rows in (
            self._changed, self._authors, self._changed_authors, self._book_authors, self._editions,
            self._changed_editions,
        ):  # fmt: skip
            rows.flush()

    def _add_authors(self, book_id: int, authors: list[str]) -> None:
        first_names: dict[str, str] = {}
        for name in authors:
            first_names.setdefault(author_key(name)[:NAME_LENGTH].strip(), name)
        for position, (key, name) in enumerate(first_names.items()):
            author_id, is_new = self._author_ids.get_or_create(key)
            if is_new:
                self._authors.add(author_id, name, key)
            elif author_id not in self._named and self._author_names.get(author_id, name) != name:
                self._changed_authors.add(name, author_id)
            self._named.add(author_id)  # of several spellings in one source the first counts
            self._book_authors.add(book_id, author_id, position)
        if self._new.is_full or self._changed.is_full:
            self.flush()


def _columns(book: CleanBook) -> tuple[object, ...]:
    return book.title[:TITLE_LENGTH], book.year, book.language, book.description
