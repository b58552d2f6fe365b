"""Merges editions into works and writes works, editions and authors."""

from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from catalog.cleaning import author_key, check_year, parse_year, repair_text, work_key
from catalog.errors import IsbnInvalid
from catalog.importing.bulk import CHUNK_ROWS, RowWriter, update_rows
from catalog.importing.replacing import replace_books
from catalog.importing.subjects import SubjectCollector
from catalog.isbn import parse_isbn
from catalog.sources.records import RawEdition, RawWork
from catalog.sources.row_log import RowLog
from catalog.tables import NAME_LENGTH, TITLE_LENGTH, Author, Book, BookAuthor, Edition

_BOOK_COLUMNS = ("title", "year", "language", "description", "replaced_by")


class BookImporter:
    """Takes a source's works, then its editions; remembers which book every ISBN belongs to."""

    def __init__(
        self,
        connection: Connection,
        source: str,
        subjects: SubjectCollector,
        log: RowLog,
        *,
        latest_year: int,
    ) -> None:
        self._connection, self._source, self._subjects, self._log = connection, source, subjects, log
        self._latest_year = latest_year
        self._stored = _read_ids(connection, select(Book.external_id, Book.book_id).filter_by(source=source))
        self._next_id = read_next_id(connection, Book.book_id)
        self._authors = _read_ids(connection, select(Author.name_key, Author.author_id))
        self._next_author = read_next_id(connection, Author.author_id)
        self._book_of_work: dict[str, int] = {}
        self._book_of_key: dict[str, int] = {}
        self._stored_editions = _read_ids(connection, _editions_of(source, own=True))
        self._foreign_isbns = set(_read_ids(connection, _editions_of(source, own=False)))
        self._isbns_of_file: dict[str, set[str]] = {}
        self._used: set[int] = set()
        self._moved: dict[int, int] = {}
        self._book_of_isbn: dict[str, int] = {}
        self.n_works_merged = self.n_replaced = 0
        self._new_books = RowWriter(connection, Book, "book_id", "source", "external_id", *_BOOK_COLUMNS)
        self._changed_books: dict[int, tuple[Any, ...]] = {}
        self._new_authors = RowWriter(connection, Author, "author_id", "name", "name_key")
        self._book_authors = RowWriter(connection, BookAuthor, "book_id", "author_id", "position")
        self._editions = RowWriter(connection, Edition, "isbn13", "book_id", "year")
        self._changed_editions: list[tuple[Any, ...]] = []

    def add_work(self, raw: RawWork) -> None:
        """Write a work, unless one of the same title and first author came before: then they are one."""
        title = self._clean(raw.title)
        if not title:
            self._log.drop(raw.file, "no title")
            return
        self._log.keep(raw.file)
        authors = self._clean_authors(raw.authors)
        key = work_key(title, authors[0]) if authors else None
        book_id = self._book_of_key.get(key) if key else None
        if book_id is None:
            year = check_year(raw.year, latest=self._latest_year)
            description = self._clean(raw.description) if raw.description else None
            book_id = self._write_book(raw.external_id, title, authors, year, raw.language, description)
            if key:
                self._book_of_key[key] = book_id
        else:
            self.n_works_merged += 1
        self._book_of_work[raw.external_id] = book_id
        self._used.add(book_id)
        if raw.subjects:
            self._subjects.add(book_id, raw.subjects, first_author=authors[0] if authors else "")

    def add_edition(self, raw: RawEdition) -> None:
        """Give an edition's ISBNs to its work, which may be a new one."""
        if raw.work is not None and raw.work not in self._book_of_work:
            self._log.drop(raw.file, "its work was dropped")
            return
        isbns = self._parse_isbns(raw)
        if not isbns:
            return
        book_id = self._find_or_write_book(raw, isbns)
        if book_id is None:
            self._log.drop(raw.file, "no title")
            return
        self._log.keep(raw.file)
        self._used.add(book_id)
        year = parse_year(raw.year, latest=self._latest_year)
        for isbn in isbns:
            self._write_edition(isbn, book_id, year)

    def finish(self) -> dict[str, int]:
        """Write what is queued, and return the book of every ISBN that the source ever had."""
        self.flush()
        self.n_replaced = replace_books(self._connection, self._replacements())
        first_year = select(func.min(Edition.year)).where(Edition.book_id == Book.book_id).scalar_subquery()
        self._connection.execute(
            update(Book).where(Book.source == self._source, Book.year.is_(None)).values(year=first_year)
        )
        replaced = self._replacements()
        stored = {isbn: replaced.get(book_id, book_id) for isbn, book_id in self._stored_editions.items()}
        return stored | self._book_of_isbn

    def flush(self) -> None:
        """Write what is queued, parents first."""
        self._new_books.flush()
        if self._changed_books:
            stale = delete(BookAuthor).where(BookAuthor.book_id.in_(self._changed_books))
            self._connection.execute(stale)
        changed = [(*values, book_id) for book_id, values in self._changed_books.items()]
        update_rows(self._connection, Book, ["book_id"], _BOOK_COLUMNS, changed)
        self._changed_books.clear()
        self._new_authors.flush()
        self._book_authors.flush()
        self._editions.flush()
        update_rows(self._connection, Edition, ["isbn13"], ["book_id", "year"], self._changed_editions)
        self._changed_editions.clear()

    def _clean(self, text: str) -> str:
        clean = repair_text(text)
        if clean != text and "Ã" in text and clean.count("Ã") < text.count("Ã"):
            self._log.repairs["broken UTF-8 repaired"] += 1
        return clean

    def _clean_authors(self, authors: tuple[str, ...]) -> list[str]:
        names = (self._clean(name)[:NAME_LENGTH] for name in authors)
        return [name for name in names if author_key(name)]

    def _parse_isbns(self, raw: RawEdition) -> list[str]:
        """Canonical ISBNs that no earlier row of the file had; without any the row is dropped here."""
        seen = self._isbns_of_file.setdefault(raw.file, set())
        reason, isbns = "no ISBN", []
        for text in raw.isbns:
            try:
                isbn = parse_isbn(text, repair_zeros=True)
            except IsbnInvalid as error:
                reason = f"ISBN: {error.reason}"
                continue
            if len(text) < 10:
                self._log.repairs["leading zeros of an ISBN restored"] += 1
            if isbn in seen:
                reason = "duplicate ISBN"
            else:
                seen.add(isbn)
                isbns.append(isbn)
        if not isbns:
            self._log.drop(raw.file, reason)
        return isbns

    def _find_or_write_book(self, raw: RawEdition, isbns: list[str]) -> int | None:
        title, authors = self._clean(raw.title), self._clean_authors(raw.authors)
        key = work_key(title, authors[0]) if title and authors else ""
        book_id = self._book_of_work[raw.work] if raw.work is not None else self._find_book(isbns, key)
        if book_id is None:
            if not title:
                return None
            book_id = self._write_book(raw.isbns[0], title, authors, None, None, None)
        if key:
            self._book_of_key.setdefault(key, book_id)
        return book_id

    def _find_book(self, isbns: list[str], key: str) -> int | None:
        """The book of an edition that names no work: what this import says goes before what is stored."""
        for isbn in isbns:
            if isbn in self._book_of_isbn:
                return self._book_of_isbn[isbn]
        if key in self._book_of_key:
            return self._book_of_key[key]
        return next((self._stored_editions[isbn] for isbn in isbns if isbn in self._stored_editions), None)

    def _replacements(self) -> dict[int, int]:
        """Books that lost an edition and that this import knows nothing of otherwise, with their heirs."""
        return {old: new for old, new in self._moved.items() if old not in self._used}

    def _write_book(
        self,
        external_id: str,
        title: str,
        authors: list[str],
        year: int | None,
        language: str | None,
        description: str | None,
    ) -> int:
        values = (title[:TITLE_LENGTH], year, language, description, None)
        book_id = self._stored.get(external_id)
        if book_id is None:
            book_id = self._next_id
            self._next_id += 1
            self._new_books.add(book_id, self._source, external_id, *values)
        else:
            self._changed_books[book_id] = values
        self._write_authors(book_id, authors)
        if self._new_books.is_full or len(self._changed_books) >= CHUNK_ROWS:
            self.flush()
        return book_id

    def _write_authors(self, book_id: int, authors: list[str]) -> None:
        keys = dict.fromkeys(author_key(name) for name in authors)
        names = {author_key(name): name for name in reversed(authors)}
        for position, key in enumerate(keys):
            author_id = self._authors.get(key)
            if author_id is None:
                author_id = self._authors[key] = self._next_author
                self._next_author += 1
                self._new_authors.add(author_id, names[key], key)
            self._book_authors.add(book_id, author_id, position)

    def _write_edition(self, isbn: str, book_id: int, year: int | None) -> None:
        is_new = isbn not in self._book_of_isbn
        self._book_of_isbn[isbn] = book_id
        stored = self._stored_editions.get(isbn)
        if isbn in self._foreign_isbns:
            self._log.repairs["ISBNs left to a book of another source"] += 1
        elif stored is not None:
            if stored != book_id:
                self._moved[stored] = book_id
            self._changed_editions.append((book_id, year, isbn))
        elif is_new:
            self._editions.add(isbn, book_id, year)
        if self._editions.is_full:
            self.flush()


def read_next_id(connection: Connection, column: Any) -> int:
    """One more than the largest id; where rows can be locked, other writers of new ids wait."""
    return (connection.scalar(select(column).order_by(column.desc()).limit(1).with_for_update()) or 0) + 1


def _read_ids(connection: Connection, query: Any) -> dict[str, int]:
    return dict(connection.execute(query).all())  # .all(): dict() would take the result itself for a mapping


def _editions_of(source: str, *, own: bool) -> Any:
    matches = Book.source == source if own else Book.source != source
    return select(Edition.isbn13, Edition.book_id).join(Book, Book.book_id == Edition.book_id).where(matches)
