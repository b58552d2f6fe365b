"""Writes what readers did besides rating; an event that is there already is not written again."""

import time
from array import array
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, func, select

from catalog.bulk import CHUNK_ROWS, RowWriter
from catalog.importing.changes import Changes
from catalog.importing.ids import is_usable_id
from catalog.importing.origins import Origins
from catalog.importing.users import ERASED, UserImporter
from catalog.sources.records import RawEvent
from catalog.sources.row_log import RowLog
from catalog.tables import Book, Event, EventKind, User, WithdrawnEvent
from foundation.arrays import I64, Mask, find_rows, pack_pairs

_KINDS = tuple(EventKind)
_NUMBER_OF_KIND = {str(kind): number for number, kind in enumerate(_KINDS)}
_UNDATED = -1


class EventColumns(NamedTuple):
    """Events as columns of one length."""

    user_id: I64
    book_id: I64
    kind: I64
    """Place in `EventKind`."""
    at: I64
    """-1 where unknown."""


class EventImporter:
    """Takes a source's events, 22 bytes each, and writes them once all are known."""

    def __init__(
        self, users: UserImporter, find_book: Callable[[str | None, str], int | str], log: RowLog
    ) -> None:
        """`find_book` tells the book of a work or an ISBN, or why there is none."""
        self._users, self._find_book, self._log = users, find_book, log
        self.changes = Changes()
        self._origins = Origins()
        self._user_ids, self._book_ids, self._kinds, self._at = array("i"), array("i"), array("b"), array("q")

    def add(self, raw: RawEvent) -> None:
        """Note an event of a known book; others are dropped."""
        kind = _NUMBER_OF_KIND.get(raw.kind)
        if not is_usable_id(raw.user):
            self._log.drop(raw.file, "no usable reader id")
        elif self._users.is_erased(raw.user):
            self._log.drop(raw.file, ERASED)
        elif kind is None:
            self._log.drop(raw.file, "no kind of event")
        elif isinstance(book := self._find_book(raw.work, raw.isbn), str):
            self._log.drop(raw.file, book)
        else:
            self._user_ids.append(self._users.find_or_create(raw.user))
            self._book_ids.append(book)
            self._kinds.append(kind)
            self._at.append(_UNDATED if raw.at is None else raw.at)
            self._origins.add(raw.file, self._log.line)

    def write(self, connection: Connection, source: str) -> None:
        """Write those that the catalog does not have yet; what readers did and undid here stays as it is."""
        columns = (self._user_ids, self._book_ids, self._kinds, self._at)
        incoming = EventColumns(*(np.array(column, dtype=np.int64) for column in columns))
        is_undone = find_undone(incoming, _read_withdrawn(connection, source))
        is_new = find_new(_read_events(connection, source), incoming) & ~is_undone
        is_first = find_new(_NONE, incoming) & ~is_undone
        self._count(is_first, is_undone)
        self.changes = Changes(new=int(is_new.sum()), unchanged=int(is_first.sum() - is_new.sum()))
        now = int(time.time())
        writer = RowWriter.inserting(connection, Event, "user_id", "book_id", "kind", "at", "created_at")
        writer.extend(
            (user_id, book_id, _KINDS[kind], None if at == _UNDATED else at, now)
            for user_id, book_id, kind, at in zip(
                *(column[is_new].tolist() for column in incoming), strict=True
            )
        )

    def _count(self, is_first: Mask, is_undone: Mask) -> None:
        for file, n, _ in self._origins.by_file(np.flatnonzero(is_first)):
            self._log.keep(file, n)
        for reason, rows in (("event given twice", ~is_first & ~is_undone), ("reader undid it", is_undone)):
            for file, n, lines in self._origins.by_file(np.flatnonzero(rows)):
                self._log.drop_lines(file, reason, n, lines)


def find_new(stored: EventColumns, incoming: EventColumns) -> Mask:
    """(n_incoming,) which events are neither stored nor among the incoming ones before them."""
    n_stored = stored.user_id.size
    pairs, kinds, times = (
        np.concatenate(both)
        for both in (
            (pack_pairs(stored.user_id, stored.book_id), pack_pairs(incoming.user_id, incoming.book_id)),
            (stored.kind, incoming.kind),
            (stored.at, incoming.at),
        )
    )
    # The sort is stable, so of equal events the stored one comes first.
    order = np.lexsort((times, kinds, pairs))
    is_new = np.ones(order.size, dtype=bool)
    is_new[order[1:]] = np.logical_or.reduce(
        [column[order][1:] != column[order][:-1] for column in (pairs, kinds, times)]
    )
    return is_new[n_stored:]


def find_undone(incoming: EventColumns, withdrawn: EventColumns) -> Mask:
    """(n_incoming,) which events the reader has taken back since; those without a date, too.

    `withdrawn` says when, in place of when it was done; its pairs of reader and book ascend.
    """
    is_undone = np.zeros(incoming.user_id.size, dtype=bool)
    for kind in np.unique(withdrawn.kind):
        of_kind, taken_back = np.flatnonzero(incoming.kind == kind), withdrawn.kind == kind
        is_known, rows = find_rows(
            pack_pairs(withdrawn.user_id[taken_back], withdrawn.book_id[taken_back]),
            pack_pairs(incoming.user_id[of_kind], incoming.book_id[of_kind]),
        )
        known = of_kind[is_known]
        is_undone[known] = incoming.at[known] <= withdrawn.at[taken_back][rows]
    return is_undone


def _read_withdrawn(connection: Connection, source: str) -> EventColumns:
    """What a source's readers took back and when, by books as they are now."""
    book_id = func.coalesce(Book.replaced_by, Book.book_id)
    key = (WithdrawnEvent.user_id, book_id, WithdrawnEvent.kind)
    rows = connection.execute(
        select(*key, func.max(WithdrawnEvent.withdrawn_at))
        .join(User, User.user_id == WithdrawnEvent.user_id)
        .join(Book, Book.book_id == WithdrawnEvent.book_id)
        .where(User.source == source)
        .group_by(*key)
        .order_by(*key)
    )
    columns = [(user_id, book, _NUMBER_OF_KIND[kind], at) for user_id, book, kind, at in rows]
    return EventColumns(*np.array(columns, dtype=np.int64).reshape(-1, 4).T)


def _read_events(connection: Connection, source: str) -> EventColumns:
    """All stored events of a source's readers."""
    result = connection.execute(
        select(Event.user_id, Event.book_id, Event.kind, Event.at)
        .join(User, User.user_id == Event.user_id)
        .where(User.source == source),
        execution_options={"stream_results": True},
    )
    users, books, kinds, times = array("q"), array("q"), array("q"), array("q")
    for rows in result.partitions(CHUNK_ROWS):
        user_ids, book_ids, names, at = zip(*rows, strict=True)
        users.extend(user_ids)
        books.extend(book_ids)
        kinds.extend(_NUMBER_OF_KIND[name] for name in names)
        times.extend(_UNDATED if time is None else time for time in at)
    return EventColumns(*(np.array(column, dtype=np.int64) for column in (users, books, kinds, times)))


_NONE = EventColumns(*(np.empty(0, dtype=np.int64) for _ in EventColumns._fields))
