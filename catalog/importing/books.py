"""Cleans works and editions and writes them as books."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from catalog.cleaning import check_year, is_somebody, parse_year, repair_text, work_key
from catalog.edits import Settled
from catalog.errors import IsbnInvalid
from catalog.importing.book_rows import BookRows, CleanBook
from catalog.importing.identity import (
    BookIdentities,
    Description,
    EditionChange,
    Found,
    Match,
    StoredBooks,
)
from catalog.importing.ids import is_usable_id, read_dict, read_ids
from catalog.importing.subjects import SubjectCollector
from catalog.isbn import find_isbn, parse_isbn
from catalog.sources.records import RawEdition, RawWork
from catalog.sources.row_log import RowLog
from catalog.tables import DESCRIPTION_LENGTH, NAME_LENGTH, Author, Book, BookAuthor, Edition, Hidden


class BookImporter:
    """Takes a source's works, then its editions."""

    def __init__(
        self,
        identities: BookIdentities,
        rows: BookRows,
        subjects: SubjectCollector,
        log: RowLog,
        *,
        latest_year: int,
    ) -> None:
        self.identities, self.rows, self.subjects, self._log = identities, rows, subjects, log
        self._latest_year = latest_year
        self._isbns_of_file: dict[str, set[str]] = {}
        self.n_works_merged = 0

    def add_work(self, raw: RawWork) -> None:
        """Write a work, unless one of the same title and first author came before: then they are one."""
        title = raw.external_id if raw.title is None else self._clean(raw.title)
        if reason := self._why_not(raw.external_id, title):
            self._log.drop(raw.file, reason)
            return
        self._log.keep(raw.file)
        if raw.title is None and self.identities.join_stored(raw.external_id):
            return
        authors = self._clean_authors(raw.authors)
        key = None if raw.stands_alone else _key(title, authors)
        match = self.identities.match_work(raw.external_id, key)
        if match.found in (Found.JOINED, Found.NEWLY_JOINED):
            self.n_works_merged += 1
        if match.found is not Found.JOINED:
            year = check_year(raw.year, latest=self._latest_year)
            description = self._clean(raw.description)[:DESCRIPTION_LENGTH] if raw.description else None
            book = CleanBook(title, authors, year, raw.language, description)
            self._write(match, raw.external_id, book)
        if raw.subjects or raw.exact_subjects:
            first_author = authors[0] if authors else None
            self.subjects.add(match.book_id, raw.subjects, raw.exact_subjects, first_author=first_author)

    def add_edition(self, raw: RawEdition) -> None:
        """Give an edition's ISBNs to its work, which may be a new one."""
        if raw.work is not None and not self.identities.has_work(raw.work):
            self._log.drop(raw.file, "its work was dropped")
            return
        isbns = self._parse_isbns(raw)
        if not isbns:
            return
        title, authors = self._clean(raw.title), self._clean_authors(raw.authors)
        external_id = raw.isbns[0] if is_usable_id(raw.isbns[0]) else isbns[0]
        external_id = self.identities.find_edition_id(external_id, isbns)
        match = self.identities.match_edition(
            raw.work, isbns, _key(title, authors), external_id=external_id if title else None
        )
        if match is None:
            self._log.drop(raw.file, "no title")
            return
        self._log.keep(raw.file)
        self._write(match, external_id, CleanBook(title, authors))
        year = parse_year(raw.year, latest=self._latest_year)
        for isbn in isbns:
            change = self.identities.place_isbn(isbn, match.book_id)
            if change is EditionChange.LEAVE_TO_OTHER_SOURCE:
                self._log.repairs["ISBNs left to a book of another source"] += 1
            self.rows.change_edition(change, isbn, match.book_id, year=year, n_pages=raw.n_pages)

    def keep_untitled(self, isbn: str) -> int:
        """The book of a canonical ISBN that nobody has a title of: evidence, and never shown."""
        match = self.identities.match_untitled(isbn)
        if match.found is Found.NEW:
            self.rows.insert(match.book_id, isbn, CleanBook(isbn, [], hidden=Hidden.UNTITLED))
            change = self.identities.place_isbn(isbn, match.book_id)
            self.rows.change_edition(change, isbn, match.book_id, year=None, n_pages=None)
        return match.book_id

    def _why_not(self, external_id: str, title: str) -> str | None:
        """Why a work cannot be taken."""
        if not title:
            return "no title"
        if not is_usable_id(external_id):
            return "no usable id"
        return "duplicate id" if self.identities.has_work(external_id) else None

    def _write(self, match: Match, external_id: str, book: CleanBook) -> None:
        if match.found is Found.NEW:
            self.rows.insert(match.book_id, external_id, book)
        elif match.found is Found.STORED:
            self.rows.update(match.book_id, book)
        elif match.found is Found.NEWLY_JOINED:
            own_id = self.identities.own_id(external_id)
            self.rows.insert(own_id, external_id, book, replaced_by=match.book_id)

    def _clean(self, text: str) -> str:
        clean = repair_text(text)
        if clean != text and "Ã" in text and clean.count("Ã") < text.count("Ã"):
            self._log.repairs["broken UTF-8 repaired"] += 1
        return clean

    def _clean_authors(self, authors: tuple[str, ...]) -> list[str]:
        names = (self._clean(name)[:NAME_LENGTH] for name in authors)
        return list(filter(is_somebody, names))

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
            elif self.identities.is_removed(isbn):
                reason = "an operator has removed the ISBN"
            else:
                seen.add(isbn)
                isbns.append(isbn)
        if not isbns:
            self._log.drop(raw.file, reason)
        return isbns


def read_identities(
    connection: Connection, source: str, settled: Settled, foretold: Mapping[int, Description]
) -> BookIdentities:
    """What the catalog knows of a source's books."""
    is_untitled = Book.hidden.is_not_distinct_from(Hidden.UNTITLED)
    own, foreign = Book.source == source, Book.source != source
    editions = select(Edition.isbn13, Edition.book_id).join(Book, Book.book_id == Edition.book_id)
    replaced = select(Book.book_id, Book.replaced_by).where(own, Book.replaced_by.is_not(None))
    split = select(Book.book_id, Book.split_from).where(own, Book.split_from.is_not(None))
    stored = StoredBooks(
        editions=read_dict(connection, editions.where(own | is_untitled)),
        foreign=read_dict(connection, editions.where(foreign, ~is_untitled)),
        untitled=set(connection.scalars(select(Book.book_id).where(is_untitled))),
        replaced=read_dict(connection, replaced),
        split=read_dict(connection, split),
        read_description=lambda book_id: _read_description(connection, book_id),
        settled=settled,
    )
    ids = read_ids(connection, select(Book.external_id, Book.book_id).where(own), Book.book_id)
    return BookIdentities(ids, stored, foretold=foretold)


def _read_description(connection: Connection, book_id: int) -> Description:
    first_author = (
        select(Author.name)
        .join(BookAuthor, BookAuthor.author_id == Author.author_id)
        .where(BookAuthor.book_id == book_id, BookAuthor.position == 0)
    )
    book = connection.execute(select(Book.external_id, Book.title).filter_by(book_id=book_id)).one()
    author = connection.scalar(first_author)
    is_edition = find_isbn(book.external_id, repair_zeros=True) is not None
    return Description(_key(book.title, [author] if author else []), is_edition)


def _key(title: str, authors: list[str]) -> str | None:
    return work_key(title, authors[0]) if title and authors else None
