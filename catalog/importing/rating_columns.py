"""Ratings as columns of numbers: collected, the best of several chosen, newer ones laid over stored ones."""

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from catalog.importing.bulk import CHUNK_ROWS
from foundation.arrays import F64, I64, pack_pairs

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
        """The rows of an index or of a mask."""
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
    """Takes ratings one by one, 25 bytes each, until all are known."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._user_ids, self._book_ids, self._ratings, self._rated_at, self._file_idx = (
            array("i"), array("i"), array("d"), array("q"), array("b"),
        )  # fmt: skip

    def add(self, file: str, user_id: int, book_id: int, rating: float, rated_at: int | None) -> None:
        """Note a rating; NaN is an implicit one."""
        self._user_ids.append(user_id)
        self._book_ids.append(book_id)
        self._ratings.append(rating)
        self._rated_at.append(UNDATED if rated_at is None else rated_at)
        self._file_idx.append(self._files.setdefault(file, len(self._files)))

    def choose_best(self) -> tuple[RatingColumns, dict[str, tuple[int, int]]]:
        """One row a reader and book, the highest explicit rating, of equal ones the newest.

        With it come, for each file, how many of its rows were chosen and how many were not.
        """
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
        n_rows, n_best = (
            np.bincount(idx, minlength=len(self._files)).tolist() for idx in (files, files[order[is_first]])
        )
        counts = {file: (n_best[idx], n_rows[idx] - n_best[idx]) for file, idx in self._files.items()}
        return everything.take(order[is_first]), counts


def overlay(stored: RatingColumns, newer: RatingColumns) -> RatingColumns:
    """All ratings of both; where both have one of a reader and book, the newer."""
    kept = stored.take(~np.isin(stored.pairs(), newer.pairs(), assume_unique=True))
    merged = RatingColumns(*(np.concatenate(pair) for pair in zip(kept, newer, strict=True)))
    return merged.take(np.argsort(merged.pairs(), kind="stable"))
