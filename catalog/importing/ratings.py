"""Writes ratings: one a reader and book, the best of several."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from catalog.errors import IsbnInvalid
from catalog.importing.bulk import CHUNK_ROWS, RowWriter
from catalog.importing.identity import BookIdentities
from catalog.importing.ids import is_usable_id
from catalog.importing.users import UserImporter
from catalog.isbn import parse_isbn
from catalog.sources.records import RawRating
from catalog.sources.row_log import RowLog
from catalog.sources.scale import Scale
from catalog.tables import Rating, User
from foundation.arrays import F64, I64, pack_pairs

_UNDATED = -1


@dataclass(frozen=True)
class RatingColumns:
    """Ratings as columns of one length, ascending by (user_id, book_id)."""

    user_id: I64
    book_id: I64
    rating: F64
    """NaN for an implicit one."""
    rated_at: I64
    """-1 where unknown."""

    def take(self, rows: npt.NDArray[Any]) -> "RatingColumns":
        """The rows of an index or of a mask."""
        return RatingColumns(self.user_id[rows], self.book_id[rows], self.rating[rows], self.rated_at[rows])

    def pairs(self) -> I64:
        """One number for each user and book, ascending."""
        return pack_pairs(self.user_id, self.book_id)

    def rows(self) -> Iterator[tuple[float | None, int | None, int, int]]:
        """(rating, rated_at, user_id, book_id), as the database stores them."""
        for start in range(0, self.user_id.size, CHUNK_ROWS):
            part = self.take(np.arange(start, min(start + CHUNK_ROWS, self.user_id.size)))
            rating, rated_at = part.rating.astype(object), part.rated_at.astype(object)
            rating[np.isnan(part.rating)] = None
            rated_at[part.rated_at == _UNDATED] = None
            yield from zip(
                rating.tolist(), rated_at.tolist(), part.user_id.tolist(), part.book_id.tolist(), strict=True
            )


class RatingImporter:
    """Collects ratings as numbers, 25 bytes each, and writes them once all are known."""

    def __init__(self, users: UserImporter, books: BookIdentities, scale: Scale, log: RowLog) -> None:
        self._users, self._books, self._scale, self._log = users, books, scale, log
        # What was found out once, as most books and all ratings come many times; a text tells what is wrong.
        self._found_books: dict[tuple[str | None, str], int | str] = {}
        self._found_ratings: dict[str, float | str] = {}
        self._files: dict[str, int] = {}
        self._user_ids, self._book_ids, self._ratings, self._rated_at, self._file_idx = (
            array("i"), array("i"), array("d"), array("q"), array("b"),
        )  # fmt: skip

    def add(self, raw: RawRating) -> None:
        """Note a rating of a known book; others are dropped."""
        named = raw.work, raw.isbn
        book = self._found_books.get(named)
        if book is None:
            book = self._found_books[named] = self._find_book(*named)
        rating = self._found_ratings.get(raw.rating)
        if rating is None:
            rating = self._found_ratings[raw.rating] = self._read_rating(raw.rating)
        if not is_usable_id(raw.user):
            self._log.drop(raw.file, "no usable reader id")
        elif isinstance(rating, str):
            self._log.drop(raw.file, rating)
        elif isinstance(book, str):
            self._log.drop(raw.file, book)
        else:
            self._user_ids.append(self._users.find_or_create(raw.user))
            self._book_ids.append(book)
            self._ratings.append(rating)
            self._rated_at.append(_UNDATED if raw.rated_at is None else raw.rated_at)
            self._file_idx.append(self._files.setdefault(raw.file, len(self._files)))

    def write(self, connection: Connection, source: str) -> RatingColumns:
        """Write the ratings and return all that readers of this source now have.

        A rating that a reader gave here after the dump's stays.
        """
        self._users.flush()
        incoming = self._best_of_duplicates()
        stored = read_ratings(connection, source)
        place = np.searchsorted(stored.pairs(), incoming.pairs())
        found = np.isin(incoming.pairs(), stored.pairs(), assume_unique=True)
        is_changed, is_older = np.zeros(found.size, dtype=bool), np.zeros(found.size, dtype=bool)
        old, new = stored.take(place[found]), incoming.take(found)
        is_older[found] = old.rated_at > new.rated_at
        is_changed[found] = ~np.isclose(old.rating, new.rating, equal_nan=True) | (
            old.rated_at < new.rated_at
        )
        columns, key = ("rating", "rated_at"), ("user_id", "book_id")
        RowWriter.inserting(connection, Rating, *columns, *key).extend(incoming.take(~found).rows())
        changed = incoming.take(is_changed & ~is_older)
        RowWriter.updating(connection, Rating, *columns, where=key).extend(changed.rows())
        return _overlay(stored, incoming.take(~is_older))

    def _find_book(self, work: str | None, isbn: str) -> int | str:
        """The book of a work or, if that is unknown, of an ISBN; or why there is none."""
        book_id = None if work is None else self._books.book_of_work(work)
        if book_id is None and (isbn or work is None):
            try:
                book_id = self._books.book_of_isbn(parse_isbn(isbn, repair_zeros=True))
            except IsbnInvalid as error:
                return f"ISBN: {error.reason}"
        return "no book record" if book_id is None else book_id

    def _read_rating(self, text: str) -> float | str:
        """The rating from 1 to 10, NaN for an implicit one; or why it is none."""
        try:
            rating = self._scale.parse(text)
        except ValueError:
            return f"rating is not {self._scale}"
        return float("nan") if rating is None else rating

    def _best_of_duplicates(self) -> RatingColumns:
        """One row a reader and book: the highest explicit rating, of equal ones the newest."""
        everything = RatingColumns(
            np.array(self._user_ids, dtype=np.int64),
            np.array(self._book_ids, dtype=np.int64),
            np.array(self._ratings, dtype=np.float64),
            np.array(self._rated_at, dtype=np.int64),
        )
        worth = np.nan_to_num(everything.rating, nan=0.0)
        order = np.lexsort((-everything.rated_at, -worth, everything.pairs()))
        pairs = everything.pairs()[order]
        is_first = np.ones(order.size, dtype=bool)
        is_first[1:] = pairs[1:] != pairs[:-1]
        files = np.array(self._file_idx, dtype=np.int64)
        for file, index in self._files.items():
            n, n_kept = int((files == index).sum()), int((files[order[is_first]] == index).sum())
            self._log.keep(file, n_kept)
            if n > n_kept:
                self._log.drop(file, "reader rated the book more than once", n - n_kept)
        return everything.take(order[is_first])


def read_ratings(connection: Connection, source: str) -> RatingColumns:
    """All stored ratings of a source's readers."""
    result = connection.execution_options(stream_results=True).execute(
        select(Rating.user_id, Rating.book_id, Rating.rating, Rating.rated_at)
        .join(User, User.user_id == Rating.user_id)
        .where(User.source == source)
        .order_by(Rating.user_id, Rating.book_id)
    )
    users, books, values, times = array("q"), array("q"), array("d"), array("q")
    for rows in result.partitions(CHUNK_ROWS):
        user_ids, book_ids, ratings, rated_at = zip(*rows, strict=True)
        users.extend(user_ids)
        books.extend(book_ids)
        values.extend(float("nan") if rating is None else rating for rating in ratings)
        times.extend(_UNDATED if time is None else time for time in rated_at)
    return RatingColumns(np.array(users), np.array(books), np.array(values), np.array(times))


def _overlay(stored: RatingColumns, newer: RatingColumns) -> RatingColumns:
    kept = stored.take(~np.isin(stored.pairs(), newer.pairs(), assume_unique=True))
    merged = RatingColumns(
        *(np.concatenate(pair) for pair in zip(_columns(kept), _columns(newer), strict=True))
    )
    return merged.take(np.argsort(merged.pairs(), kind="stable"))


def _columns(ratings: RatingColumns) -> tuple[npt.NDArray[Any], ...]:
    return ratings.user_id, ratings.book_id, ratings.rating, ratings.rated_at
