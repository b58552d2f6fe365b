"""Reads the Book-Crossing dump, and Open Library's for the works, subjects and descriptions of its books."""

from collections.abc import Iterator
from pathlib import Path

from catalog.cleaning import repair_text, work_key
from catalog.errors import SourceFormatWrong
from catalog.isbn import find_isbn
from catalog.sources.csv_rows import CsvFormat, NumberedRow, read_csv
from catalog.sources.files import find_file
from catalog.sources.open_library import OpenLibrary
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork
from catalog.sources.row_log import Progress, RowLog
from catalog.sources.scale import TEN_POINTS

BOOKS, USERS, RATINGS = "BX-Books.csv", "BX-Users.csv", "BX-Book-Ratings.csv"
BOOK_COLUMNS = ("ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Publisher")
USER_COLUMNS = ("User-ID", "Location", "Age")
RATING_COLUMNS = ("User-ID", "ISBN", "Book-Rating")
FORMAT = CsvFormat(";", "latin-1", escape="\\", last_line_ends=True)
_NULL = "NULL"


class BookCrossing:
    """The dump in one folder; from Open Library's in another, only works of the dump's books are taken."""

    name = "book-crossing"
    scale = TEN_POINTS

    def __init__(self, folder: Path, open_library: Path | None = None) -> None:
        """Raises SourceFileMissing."""
        expected = f"{BOOKS}, {USERS} and {RATINGS}"
        self._books, self._users, self._ratings = (
            find_file(folder, file, expected=expected) for file in (BOOKS, USERS, RATINGS)
        )
        self._open_library = OpenLibrary(open_library) if open_library else None

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """Open Library's works that hold an ISBN of the dump or have a title and author of its books."""
        if self._open_library:
            isbns, keys = self._read_wanted(log)
            self._open_library.link(isbns, keys, log)
            yield from self._open_library.works(log)

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """Open Library's editions of those works, then the books of the dump."""
        if self._open_library:
            yield from self._open_library.editions(log)
        for row in self._rows(self._books, BOOK_COLUMNS, log):
            isbn, title, author, year = row[:4]
            authors = (author,) if author and author != _NULL else ()
            yield RawEdition(BOOKS, (isbn.strip(),), None, title, authors, "" if year == _NULL else year)

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """Readers with their location and age."""
        for user_id, location, age, *_ in self._rows(self._users, USER_COLUMNS, log):
            yield RawUser(USERS, user_id, "" if age == _NULL else age, location)

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """Ratings by ISBN."""
        for user_id, isbn, rating, *_ in self._rows(self._ratings, RATING_COLUMNS, log):
            yield RawRating(RATINGS, user_id.strip(), None, isbn.strip(), rating.strip(), None)

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """None: the dump has ratings alone."""
        yield from ()

    def _rows(self, path: Path, columns: tuple[str, ...], log: RowLog) -> Iterator[list[str]]:
        file = path.name
        for line, row in _read(path, columns, log.progress):
            log.read(file, line)
            if isinstance(row, str):
                log.drop(file, row)
            elif len(row) < len(columns):
                log.drop(file, "too few fields")
            else:
                yield row

    def _read_wanted(self, log: RowLog) -> tuple[set[str], set[str]]:
        """Canonical ISBNs of the dump, and the title-and-author keys of its books."""
        texts, keys = set(), set()
        for _, row in _read(self._books, BOOK_COLUMNS, log.progress):
            if not isinstance(row, str) and len(row) >= len(BOOK_COLUMNS):
                texts.add(row[0].strip())
                if row[2]:
                    keys.add(work_key(repair_text(row[1]), repair_text(row[2])))
        for _, row in _read(self._ratings, RATING_COLUMNS, log.progress):
            if not isinstance(row, str) and len(row) >= len(RATING_COLUMNS):
                texts.add(row[1].strip())
        isbns = (find_isbn(text, repair_zeros=True) for text in texts)
        return {isbn for isbn in isbns if isbn}, keys


def _read(path: Path, columns: tuple[str, ...], progress: Progress) -> Iterator[NumberedRow]:
    """What follows the header. Raises SourceFormatWrong if that does not begin with `columns`."""
    rows = read_csv(path, FORMAT, progress)
    header = list(next(rows)[1])
    if header[: len(columns)] != list(columns):
        expected, found = (f"the header {FORMAT.join(row)}" for row in (columns, header))
        raise SourceFormatWrong(path, expected=expected, found=found, line=1)
    return rows
