"""Reads goodbooks-10k: ten thousand books of Goodreads, with readers' tags, ratings and books to read."""

import re
from collections.abc import Iterator
from pathlib import Path

from catalog.cleaning import subject_key
from catalog.sources.columns import read_columns
from catalog.sources.csv_rows import CsvFormat
from catalog.sources.files import find_file
from catalog.sources.languages import parse_language
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork
from catalog.sources.row_log import RowLog
from catalog.sources.scale import FIVE_STARS
from catalog.sources.tags import TagCounts
from catalog.tables import EventKind
from catalog.word_lists import read_word_lists

FILES = BOOKS, TAGS, BOOK_TAGS, RATINGS, TO_READ = (
    "books.csv", "tags.csv", "book_tags.csv", "ratings.csv", "to_read.csv",
)  # fmt: skip
ISBNS = f"ISBNs of {BOOKS}"
"""Counted apart from the books."""
FORMAT = CsvFormat()
_WORK_COLUMNS = (
    "book_id", "goodreads_book_id", "authors", "original_publication_year", "title", "language_code",
)  # fmt: skip
_EDITION_COLUMNS = ("book_id", "isbn", "isbn13")
_YEAR_READ = re.compile(r"20\d\d")
_COUNT = re.compile(r"[0-9]{1,9}")
_NAME_OF_SHELF = "name of a shelf"


class Goodbooks:
    """The files in a folder. A book is known by its `book_id`, as ratings name it."""

    name = "goodbooks"
    scale = FIVE_STARS

    def __init__(self, folder: Path) -> None:
        """Raises SourceFileMissing or SourceFileUnreadable."""
        expected = f"{', '.join(FILES[:-1])} and {FILES[-1]} of goodbooks-10k"
        self._books, self._tags, self._book_tags, self._ratings, self._to_read = (
            find_file(folder, file, expected=expected) for file in FILES
        )

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """Every book; what its readers tagged it with are its subjects."""
        tags = self._read_tags(log)
        for book, tagged, authors, year, title, language in read_columns(
            self._books, FORMAT, _WORK_COLUMNS, log
        ):
            yield RawWork(
                BOOKS, book, title, tuple(authors.split(", ")), _parse_year(year),
                parse_language(language), None, tags.take(tagged),
            )  # fmt: skip
        tags.drop_rest()

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """The ISBN of every book that has one."""
        for book, isbn, isbn13 in read_columns(self._books, FORMAT, _EDITION_COLUMNS, log, counted_as=ISBNS):
            # A spreadsheet has rounded nearly every isbn13 to twelve digits, which tell no book.
            if found := isbn or isbn13:
                yield RawEdition(ISBNS, (found,), book, "", (), "")
            else:
                log.drop(ISBNS, "no ISBN")

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """Nobody: readers are known by their ratings alone."""
        yield from ()

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """Ratings by book, undated."""
        for user, book, rating in read_columns(self._ratings, FORMAT, ("user_id", "book_id", "rating"), log):
            yield RawRating(RATINGS, user, book, "", rating, None)

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """The books that readers want to read, undated."""
        for user, book in read_columns(self._to_read, FORMAT, ("user_id", "book_id"), log):
            yield RawEvent(TO_READ, user, book, "", EventKind.TO_READ, None)

    def _read_tags(self, log: RowLog) -> TagCounts:
        """Tags of books by their ids at Goodreads."""
        names: dict[str, str | None] = {}
        for tag, name in read_columns(self._tags, FORMAT, ("tag_id", "tag_name"), log):
            if is_shelf(name):
                names[tag] = None
                log.drop(TAGS, _NAME_OF_SHELF)
            else:
                names[tag] = name
                log.keep(TAGS)
        tags = TagCounts(BOOK_TAGS, log)
        for book, tag, count in read_columns(
            self._book_tags, FORMAT, ("goodreads_book_id", "tag_id", "count"), log
        ):
            subject = names.get(tag)
            if subject is None:
                log.drop(BOOK_TAGS, _NAME_OF_SHELF if tag in names else "no tag record")
            elif not _COUNT.fullmatch(count):
                log.drop(BOOK_TAGS, "count is no number")
            else:
                tags.add(book, subject, int(count))
        return tags


def is_shelf(tag: str) -> bool:
    """Whether a tag names a place, a plan or an opinion ("to-read", "read-in-2015"), and no subject."""
    lists, key = read_word_lists("catalog.sources", "shelf_words.txt"), subject_key(tag)
    return key in lists["tags"] or any(
        word in lists["words"] or _YEAR_READ.fullmatch(word) for word in key.split()
    )


def _parse_year(text: str) -> int | None:
    """A year, before Christ a negative one, with the decimals of a spreadsheet."""
    found = re.fullmatch(r"(-?\d{1,4})(?:\.0)?", text)
    return int(found[1]) if found else None
