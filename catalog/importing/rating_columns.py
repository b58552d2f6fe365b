"""Ratings as columns of numbers: collected, one of several chosen, newer ones laid over stored ones."""

from array import array
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from catalog.bulk import CHUNK_ROWS
from catalog.importing.origins import Origins
from foundation.arrays import F64, I64, Mask, find_rows, pack_pairs, unpack_pairs

UNDATED = -1


class RatingColumns(NamedTuple):
    """Ratings as columns of one length, ascending by (user_id, book_id)."""

    user_id: I64
    book_id: I64
    rating: F64
    """NaN for an implicit one."""
    rated_at: I64
    """-1 where unknown."""

    def take(self, rows: npt.NDArray[Any]) -> "RatingColumns":
        """The rows of an index or of a mask, which may be all: an import has no larger arrays to copy."""
        if rows.dtype == bool and rows.all():
            return self
        return RatingColumns(*(column[rows] for column in self))

    def pairs(self) -> I64:
        """One number for each user and book, ascending."""
        return pack_pairs(self.user_id, self.book_id)

    def rows(self) -> Iterator[tuple[float | None, int | None, int, int]]:
        """(rating, rated_at, user_id, book_id), as the database stores them."""
        for start in range(0, self.user_id.size, CHUNK_ROWS):
            part = self.take(np.arange(start, min(start + CHUNK_ROWS, self.user_id.size)))
            rating, rated_at = part.rating.astype(object), part.rated_at.astype(object)
            rating[np.isnan(part.rating)] = None
            rated_at[part.rated_at == UNDATED] = None
            yield from zip(
                rating.tolist(), rated_at.tolist(), part.user_id.tolist(), part.book_id.tolist(), strict=True
            )


class RatingCollector:
    """Takes ratings one by one, 29 bytes each, until all are known."""

    def __init__(self) -> None:
        self.origins = Origins()
        self._user_ids, self._book_ids, self._ratings, self._rated_at = (
            array("i"), array("i"), array("d"), array("q"),
        )  # fmt: skip

    def add(self, user_id: int, book_id: int, rating: float, rated_at: int | None) -> None:
        """Note a rating, next to its origin; NaN is an implicit one."""
        self._user_ids.append(user_id)
        self._book_ids.append(book_id)
        self._ratings.append(rating)
        self._rated_at.append(UNDATED if rated_at is None else rated_at)

    def columns(self) -> RatingColumns:
        """All that were noted, in the order in which they came; no more can be."""
        return RatingColumns(
            np.asarray(self._user_ids, dtype=np.int64),
            np.asarray(self._book_ids, dtype=np.int64),
            np.asarray(self._ratings, dtype=np.float64),
            np.asarray(self._rated_at, dtype=np.int64),
        )


def choose_best(ratings: RatingColumns) -> I64:
    """The rows that count, one a reader and book, ascending by those.

    Of dated ones the newest; of that and the undated ones the highest explicit, of equal ones the dated.
    `catalog.merging.best` decides the same in SQL.
    """
    pairs, worth = ratings.pairs(), np.nan_to_num(ratings.rating, nan=0.0)
    order = np.lexsort((-ratings.rated_at, -worth, _is_outdated(ratings.rated_at, pairs), pairs))
    best: I64 = order[_starts(pairs[order])]
    return best


def is_taken_back(ratings: RatingColumns, withdrawn: RatingColumns) -> Mask:
    """(n_ratings,) whether the reader has taken back a rating of the book since, or it has no date.

    `withdrawn` says when, in place of when it was rated.
    """
    is_known, rows = find_rows(withdrawn.pairs(), ratings.pairs())
    is_known[is_known] = ratings.rated_at[is_known] <= withdrawn.rated_at[rows]
    return is_known


def find_left_behind(ratings: RatingColumns, separated: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """(user_id, other) of who rated the book of a (book, other), and not the other that it was a part of."""
    if not separated:
        return []
    of_separated = ratings.take(np.isin(ratings.book_id, [book_id for book_id, _ in separated]))
    pairs = [
        pack_pairs(of_separated.user_id[of_separated.book_id == book_id], np.array(other, dtype=np.int64))
        for book_id, other in separated
    ]
    once = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *pairs]))
    users, books = unpack_pairs(once[~np.isin(once, ratings.pairs())])
    return list(zip(users.tolist(), books.tolist(), strict=True))


def overlay(stored: RatingColumns, newer: RatingColumns) -> RatingColumns:
    """All ratings of both; where both have one of a reader and book, the newer."""
    kept = stored.take(~np.isin(stored.pairs(), newer.pairs(), assume_unique=True))
    if not kept.user_id.size:
        return newer
    merged = RatingColumns(*(np.concatenate(pair) for pair in zip(kept, newer, strict=True)))
    return merged.take(np.argsort(merged.pairs(), kind="stable"))


def _starts(ascending: I64) -> Mask:
    """Where equal numbers begin."""
    return np.concatenate([ascending[:1] == ascending[:1], ascending[1:] != ascending[:-1]])


def _is_outdated(rated_at: I64, pairs: I64) -> Mask:
    """Where a rating has a date, and another one of its pair a later one."""
    is_outdated = np.zeros(pairs.size, dtype=bool)
    if (rated_at != UNDATED).any():
        order = np.lexsort((-rated_at, pairs))
        is_first, times = _starts(pairs[order]), rated_at[order]
        newest_at = times[is_first][np.cumsum(is_first) - 1]
        is_outdated[order] = (times != newest_at) & (times != UNDATED)
    return is_outdated
