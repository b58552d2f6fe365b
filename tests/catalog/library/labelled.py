"""The labelled set: rows as exports have them, each with the book of a catalog that it is.

The catalog holds the works of the demo catalog and those of `books.txt`; `rows.txt` says of each row which of
them it is, or that it is none. One half of the rows served to tune the matching, the other is reported.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.demo.works import read_works
from catalog.library.matching import Match, match_rows
from catalog.library.reading import read_library
from catalog.sources.records import RawEdition, RawWork
from catalog.tables import Author, Book, BookAuthor
from tests.catalog.library.exports import goodreads_row, storygraph_row, write_goodreads, write_storygraph
from tests.catalog.shelf import ListSource

FOLDER = Path(__file__).parent
NONE = "-"
"""In the place of a book: the catalog does not have it."""


@dataclass(frozen=True)
class LabelledRow:
    """A row and what it is."""

    kind: str
    book: str
    """Title in the catalog, with the authors behind a slash if two books have it; or NONE."""
    title: str
    authors: tuple[str, ...]
    isbn: str
    year: str

    @property
    def is_reported(self) -> bool:
        """Whether it is of the half that nothing was tuned on."""
        return hashlib.sha256(f"{self.title}|{self.authors}".encode()).digest()[0] % 2 == 1

    @property
    def is_goodreads(self) -> bool:
        """Whether Goodreads exports it, or StoryGraph, which tells no year and does as to a third of them."""
        return hashlib.sha256(self.title.encode()).digest()[1] % 3 > 0


@dataclass
class Verdicts:
    """How rows were matched; nothing that is unsure is a match."""

    right: int = 0
    wrong: int = 0
    """Matched with another book, or with any where the catalog has none."""
    missed: int = 0
    """In the catalog, and asked about or not found."""
    none: int = 0
    """Not in the catalog, and asked about or not found."""

    @property
    def precision(self) -> float:
        """Share of the matches that are right."""
        return self.right / (self.right + self.wrong) if self.right else 1.0

    @property
    def recall(self) -> float:
        """Share of the books of the catalog that were matched, with the right one."""
        return self.right / max(1, self.right + self.missed)


def read_rows() -> list[LabelledRow]:
    """All of the set."""
    return [
        LabelledRow(kind, book, title, _split(authors), isbn, year)
        for kind, book, title, authors, isbn, year in _read_lines("rows.txt", 6)
    ]


def list_books() -> ListSource:
    """The catalog that the rows are matched with, as a source."""
    works, editions = dict[tuple[str, tuple[str, ...]], RawWork](), list[RawEdition]()
    for work in read_works():
        raw = RawWork("works", work.external_id, work.title, work.authors, work.year, work.language, None, ())
        works[work.title, work.authors] = raw
    for title, authors, year, isbns in _read_lines("books.txt", 4):
        names = _split(authors)
        key = hashlib.sha256(f"{title}{authors}".encode()).hexdigest()[:32]
        raw = works.setdefault(
            (title, names), RawWork("works", key, title, names, int(year), "eng", None, ())
        )
        editions += [
            RawEdition("editions", (isbn,), raw.external_id, title, names, "") for isbn in _split(isbns)
        ]
    return ListSource(list(works.values()), editions)


def match_labelled(session: Session, rows: Sequence[LabelledRow]) -> list[tuple[LabelledRow, Match]]:
    """What each row was matched with, all of them by way of the exports' own formats."""
    matched = []
    for is_goodreads in (True, False):
        exported = [row for row in rows if row.is_goodreads == is_goodreads]
        library = read_library(_export(exported, is_goodreads=is_goodreads))
        matched += list(zip(exported, match_rows(session, library.rows), strict=True))
    return matched


def judge(session: Session, matched: Iterable[tuple[LabelledRow, Match]]) -> dict[str, Verdicts]:
    """The verdicts by kind of row."""
    books = _name_books(session)
    verdicts = dict[str, Verdicts]()
    for row, match in matched:
        of_kind = verdicts.setdefault(row.kind, Verdicts())
        expected = None if row.book == NONE else books[row.book]
        if match.is_sure:
            is_right = match.guesses[0].book_id == expected
            of_kind.right += is_right
            # One that is matched with the wrong book is missed besides.
            of_kind.wrong += not is_right
            of_kind.missed += not is_right and expected is not None
        else:
            of_kind.missed += expected is not None
            of_kind.none += expected is None
    return verdicts


def add_up(verdicts: Iterable[Verdicts]) -> Verdicts:
    """All kinds together."""
    total = Counter[str]()
    for each in verdicts:
        total.update(vars(each))
    return Verdicts(**total)


def _export(rows: Iterable[LabelledRow], *, is_goodreads: bool) -> bytes:
    if not is_goodreads:
        return write_storygraph(
            storygraph_row(row.title, ", ".join(row.authors), isbn=row.isbn) for row in rows
        )
    return write_goodreads(
        goodreads_row(
            row.title,
            row.authors[0],
            additional_authors=", ".join(row.authors[1:]),
            isbn13=row.isbn,
            original_publication_year=row.year,
        )
        for row in rows
    )


def _name_books(session: Session) -> dict[str, int]:
    """Books by title and authors, and by title where that is enough."""
    authors = dict[int, list[str]]()
    names = select(BookAuthor.book_id, Author.name).join(Author, Author.author_id == BookAuthor.author_id)
    for book_id, name in session.execute(names.order_by(BookAuthor.book_id, BookAuthor.position)):
        authors.setdefault(book_id, []).append(name)
    titles = session.execute(select(Book.book_id, Book.title)).all()
    n_of_title = Counter(title for _, title in titles)
    return {
        **{title: book_id for book_id, title in titles if n_of_title[title] == 1},
        **{f"{title} / {'; '.join(authors.get(book_id, []))}": book_id for book_id, title in titles},
    }


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _read_lines(name: str, n_fields: int) -> Iterator[list[str]]:
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            fields = [field.strip() for field in line.split("|")]
            assert len(fields) == n_fields, line
            yield fields
