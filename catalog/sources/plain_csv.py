"""Reads anybody's ratings, and what is known of their items, from two plain CSV files in a folder.

docs/importing.md says what the files hold. An item is known by its id, and that is its title where nothing
tells another.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from catalog.cleaning import parse_year
from catalog.errors import SourceFormatWrong, SourceOptionInvalid
from catalog.sources.csv_rows import CsvFormat, read_csv
from catalog.sources.files import find_file
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork
from catalog.sources.row_log import Progress, RowLog
from catalog.sources.scale import Scale

RATINGS, ITEMS = "ratings.csv", "items.csv"
ITEMS_OF_RATINGS, ISBNS = f"items of {RATINGS}", f"ISBNs of {ITEMS}"
"""What is counted apart from the rows that it is taken from."""
_RATING_COLUMNS, _ITEM_COLUMNS = ("user", "item", "rating"), ("item",)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LATEST_S = 253_402_300_799
"""The end of the year 9999: what is later is no time in seconds."""

Record = dict[str, str]


class PlainCsv:
    """The files in a folder; all options are as an operator writes them."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "csv",
        scale: str = "1-10",
        separator: str = ",",
        encoding: str = "utf-8",
    ) -> None:
        """Raises SourceFileMissing, SourceFileUnreadable or SourceOptionInvalid."""
        if not _NAME.fullmatch(name):
            raise SourceOptionInvalid("name", name, expected="small letters, digits and hyphens, 40 at most")
        self.name, self.scale = name, Scale.from_text(scale)
        self._format = _parse_format(separator, encoding)
        self._ratings = find_file(folder, RATINGS, expected=f"{RATINGS} and, if you have titles, {ITEMS}")
        has_items = (folder / ITEMS).exists()
        self._items = find_file(folder, ITEMS, expected=ITEMS) if has_items else None

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """A work of each item; without a file of items, of each that a rating names."""
        if self._items is None:
            yield from self._read_items_of_ratings(log)
            return
        for record in self._read_and_count(self._items, _ITEM_COLUMNS, log):
            item, year = record["item"], record.get("year", "")
            yield RawWork(
                ITEMS, item, record.get("title") or item, _authors(record), _parse_year(year), None, None,
                _split(record.get("subjects", "")),
            )  # fmt: skip

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """The ISBNs of those items that have any."""
        if self._items is None:
            return
        for line, record in self._read(self._items, _ITEM_COLUMNS, log.progress):
            if isinstance(record, dict) and (isbns := _split(record.get("isbn", ""))):
                log.read(ISBNS, line)
                title, year = record.get("title", ""), record.get("year", "")
                yield RawEdition(ISBNS, isbns, record["item"], title, _authors(record), year)

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """Nobody: readers are known by their ratings alone."""
        yield from ()

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """Ratings by item."""
        for record in self._read_and_count(self._ratings, _RATING_COLUMNS, log):
            rated_at = _parse_time(record.get("rated_at", ""))
            if rated_at is None and record.get("rated_at"):
                log.repairs["times that are none left unknown"] += 1
            yield RawRating(RATINGS, record["user"], record["item"], "", record["rating"], rated_at)

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """None: the files have ratings alone."""
        yield from ()

    def _read_items_of_ratings(self, log: RowLog) -> Iterator[RawWork]:
        seen = {""}
        for line, record in self._read(self._ratings, _RATING_COLUMNS, log.progress):
            if isinstance(record, dict) and record["item"] not in seen:
                seen.add(record["item"])
                log.read(ITEMS_OF_RATINGS, line)
                yield RawWork(ITEMS_OF_RATINGS, record["item"], None, (), None, None, None, ())

    def _read_and_count(self, path: Path, columns: tuple[str, ...], log: RowLog) -> Iterator[Record]:
        for line, record in self._read(path, columns, log.progress):
            log.read(path.name, line)
            if isinstance(record, str):
                log.drop(path.name, record)
            else:
                yield record

    def _read(
        self, path: Path, columns: tuple[str, ...], progress: Progress
    ) -> Iterator[tuple[int, Record | str]]:
        """Rows by column, or why one is none, each with its line. Raises SourceFormatWrong."""
        rows = read_csv(path, self._format, progress)
        header = list(next(rows)[1])
        names = [name.strip().lower() for name in header]
        if missing := [name for name in columns if name not in names]:
            raise SourceFormatWrong(
                path,
                expected=f"a column {missing[0]!r}",
                found=self._format.join(header),
                remedy="is it the right separator?",
                line=1,
            )
        for line, row in rows:
            if isinstance(row, str):
                yield line, row
            elif len(row) == len(names):
                yield line, dict(zip(names, map(str.strip, row), strict=True))
            else:
                yield line, "too few fields" if len(row) < len(names) else "too many fields"


def _parse_format(separator: str, encoding: str) -> CsvFormat:
    separator = {"tab": "\t", "\\t": "\t"}.get(separator, separator)
    if len(separator) != 1 or separator in '"\r\n':
        raise SourceOptionInvalid("separator", separator, expected="one character, or tab")
    try:
        "a".encode(encoding)
    except (LookupError, ValueError) as error:
        raise SourceOptionInvalid("encoding", encoding, expected="a name such as utf-8 or latin-1") from error
    return CsvFormat(separator, encoding)


def _authors(record: Record) -> tuple[str, ...]:
    return _split(record.get("authors", "") or record.get("author", ""))


def _split(field: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in field.split(";") if part.strip())


def _parse_year(text: str) -> int | None:
    """A year, perhaps before Christ or with the decimals of a spreadsheet; else the first year in a text."""
    number = re.fullmatch(r"(-?\d{1,4})(?:\.0+)?", text)
    return int(number[1]) if number else parse_year(text)


def _parse_time(text: str) -> int | None:
    """Seconds since 1970 UTC; a time without a zone is UTC."""
    try:
        if re.fullmatch(r"\d+(?:\.\d*)?", text):
            seconds = int(float(text))
        else:
            time = datetime.fromisoformat(text)
            seconds = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= _LATEST_S else None
