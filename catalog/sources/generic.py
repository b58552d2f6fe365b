"""Reads anybody's files: CSV, JSON Lines or Parquet, as a mapping says what each column is.

Without one these are ratings.csv and, if there are titles, items.csv. An item is known by its id, and that is
its title where nothing tells another.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from catalog.cleaning import parse_pages
from catalog.sources.languages import parse_language
from catalog.sources.mapping import SPLIT_AT, EventTable, ItemTable, Mapping, RatingTable, Texts
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork
from catalog.sources.row_log import RowLog
from catalog.sources.scale import Scale
from catalog.sources.tables import Record, TableReader, has_file
from catalog.sources.values import FieldWrong, is_true, to_time, to_year
from catalog.tables import EXTERNAL_ID_LENGTH

R = TypeVar("R")
Build = Callable[[str, Record], R]
"""Makes a raw record of a file's; the file's name in the report comes first. Raises FieldWrong."""


class Generic:
    """The files in a folder."""

    def __init__(self, folder: Path, mapping: Mapping, *, at: Path | None = None) -> None:
        """`at` is the file of the mapping, for messages. Raises SourceError."""
        mapping = _add_usual_tables(mapping, folder)

        def open_table(key: str, *required: str) -> TableReader | None:
            table = getattr(mapping, key)
            return table and TableReader(folder, key, table, mapping, required=required, at=at)

        self.name, self.scale = mapping.name, Scale.from_text(mapping.scale, implicit=mapping.implicit)
        self._ratings = open_table("ratings", "user", "item", "rating")
        self._items, self._users = open_table("items", "item"), open_table("users", "user")
        self._item_table, self._event_table = mapping.items or ItemTable(), mapping.events or EventTable()
        self._events = open_table("events", "user", "item", *([] if self._event_table.always else ["kind"]))
        self._rating_times = mapping.ratings.time_format if mapping.ratings else None
        self._is_one_file = bool(self._items and self._ratings and self._items.path == self._ratings.path)
        self._work_of_item: dict[str, str] = {}

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """A work of each item; without a file of items, of each that a rating names."""
        if self._items and not self._is_one_file:
            yield from self._read_works(self._items, log)
        elif self._items:
            yield from _read_once(self._items, log, self._to_work)
        elif self._ratings:
            yield from _read_once(self._ratings, log, _to_bare_work)

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """The ISBNs of those items that have any."""
        if self._items is None or not self._items.has("isbn"):
            return
        seen: set[tuple[str, ...]] = set()
        for line, record in self._items.rows(log.progress):
            edition = None if isinstance(record, str) else self._to_edition(record)
            if edition and not (self._is_one_file and edition.isbns in seen):
                log.read(edition.file, line)
                seen.add(edition.isbns)
                yield edition

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """Readers, where a file tells of them."""
        if self._users:
            yield from _read(self._users, log, _to_user)

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """Ratings by item."""

        def build(file: str, record: Record) -> RawRating:
            item, rated_at = record.text("item"), _read_time(record.text("rated_at"), self._rating_times, log)
            rating = record.text("rating") if is_judged else self.scale.implicit
            return RawRating(file, record.text("user"), self._work(item), "", rating, rated_at)

        if self._ratings:
            is_judged = self._ratings.has("rating")
            yield from _read(self._ratings, log, build)

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """Events by item, where a file tells of them."""
        table = self._event_table

        def build(file: str, record: Record) -> RawEvent:
            written = record.text("kind")
            kind = table.always or table.kinds.get(written) or written
            at = _read_time(record.text("at"), table.time_format, log)
            return RawEvent(file, record.text("user"), self._work(record.text("item")), "", kind, at)

        if self._events:
            yield from _read(self._events, log, build)

    def _read_works(self, items: TableReader, log: RowLog) -> Iterator[RawWork]:
        seen: set[str] = set()
        for work in _read(items, log, self._to_work):
            if work.external_id in seen:
                log.keep(work.file)  # another item of it, which is an edition
                continue
            if items.has("work") and 0 < len(work.external_id) <= EXTERNAL_ID_LENGTH:
                seen.add(work.external_id)
            yield work

    def _to_work(self, file: str, record: Record) -> RawWork:
        item, table = record.text("item"), self._item_table
        work = item
        if self._items and self._items.has("work"):
            work = self._work_of_item[item] = record.text("work")
        flags = zip(table.subject_flags, record.fields("subject_flags"), strict=True)
        subjects = (
            *_texts(record, "subjects", table.subjects),
            *(name for name, flag in flags if is_true(flag)),
            # Folding keeps those of whom several authors write, and drops the hero of one series.
            *_texts(record, "characters", table.characters),
        )
        return RawWork(
            file, work, record.text("title") or work, _texts(record, "authors", table.authors),
            to_year(record.text("year")), parse_language(record.text("language")),
            record.text("description") or None, tuple(dict.fromkeys(subjects)),
        )  # fmt: skip

    def _to_edition(self, record: Record) -> RawEdition | None:
        table, items = self._item_table, self._items
        try:
            isbns = _texts(record, "isbn", table.isbn)
            if not isbns or not items:
                return None
            return RawEdition(
                f"ISBNs of {items.name}", isbns, self._work(record.text("item")), record.text("title"),
                _texts(record, "authors", table.authors), record.text("year"),
                parse_pages(record.text("pages")),
            )  # fmt: skip
        except FieldWrong:  # its row was dropped when it was read as a work
            return None

    def _work(self, item: str) -> str:
        return self._work_of_item.get(item, item)


def _add_usual_tables(mapping: Mapping, folder: Path) -> Mapping:
    """With the usual files that are there and that it does not name."""
    tables: dict[str, Any] = {}
    if mapping.is_bare or (mapping.ratings is None and has_file(folder, RatingTable().file)):
        tables["ratings"] = RatingTable()
    if mapping.items is None and has_file(folder, ItemTable().file):
        tables["items"] = ItemTable()
    return mapping.model_copy(update=tables)


def _read(table: TableReader, log: RowLog, build: Build[R]) -> Iterator[R]:
    for line, record in table.rows(log.progress):
        log.read(table.name, line)
        if isinstance(record, str):
            log.drop(table.name, record)
            continue
        try:
            raw = build(table.name, record)
        except FieldWrong as error:
            log.drop(table.name, error.reason)
            continue
        yield raw


def _read_once(table: TableReader, log: RowLog, build: Build[RawWork]) -> Iterator[RawWork]:
    """Each item of a file of ratings, counted apart from those."""
    seen, file = {""}, f"items of {table.name}"
    for line, record in table.rows(log.progress):
        try:
            work = None if isinstance(record, str) else build(file, record)
        except FieldWrong:
            continue
        if work and work.external_id not in seen:
            seen.add(work.external_id)
            log.read(file, line)
            yield work


def _to_bare_work(file: str, record: Record) -> RawWork:
    return RawWork(file, record.text("item"), None, (), None, None, None, ())


def _to_user(file: str, record: Record) -> RawUser:
    keys = "user", "age", "country", "gender", "occupation", "postal_code"
    return RawUser(file, *(record.text(key) for key in keys))


def _texts(record: Record, key: str, told: Texts | None) -> tuple[str, ...]:
    return record.texts(key, told.separator if told else SPLIT_AT)


def _read_time(text: str, written: str | None, log: RowLog) -> int | None:
    time = to_time(text, written)
    if time is None and text:
        log.repairs["times that are none left unknown"] += 1
    return time
