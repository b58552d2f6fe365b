"""Array types, and the small look-ups and rankings that every floor needs; pure NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

F16 = NDArray[np.float16]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Mask = NDArray[np.bool_]

Rows = I32 | I64

LOW_HALF: Final = 0xFFFFFFFF


@dataclass(frozen=True, eq=False)
class Chosen:
    """Some of n rows."""

    rows: I64
    """(n_chosen,), ascending and distinct."""
    n: int

    @classmethod
    def all(cls, n: int) -> Self:
        """Every row."""
        return cls(np.arange(n), n)

    @classmethod
    def of(cls, is_chosen: Mask) -> Self:
        """Every row that is marked, (n,)."""
        return cls(np.flatnonzero(is_chosen), is_chosen.size)

    @property
    def is_all(self) -> bool:
        """Whether no row is left out."""
        return self.rows.size == self.n

    def take(self, values: NDArray[Any]) -> NDArray[Any]:
        """(n_chosen, ...): of the values of all rows, (n, ...), those of the chosen."""
        return values if self.is_all else values.take(self.rows, axis=0)

    def place(self, rows: Rows) -> Rows:
        """Where each of these rows is among the chosen; all must be."""
        return rows if self.is_all else self._places[rows]

    @cached_property
    def _places(self) -> I32:
        """(n,): places of the chosen rows; what others have means nothing."""
        places = np.empty(self.n, dtype=np.int32)
        places[self.rows] = np.arange(self.rows.size, dtype=np.int32)
        return places


@dataclass(frozen=True, eq=False)
class Kept(Chosen):
    """Rows that are chosen again and again: what was taken once lies ready, side by side."""

    taken: dict[int, NDArray[Any]] = field(default_factory=dict)
    """By the `id` of all rows' values, which must live as long."""

    def take(self, values: NDArray[Any]) -> NDArray[Any]:
        if id(values) not in self.taken:
            self.taken[id(values)] = super().take(values)
        return self.taken[id(values)]


def find_rows(ids: I64, wanted: Sequence[int] | I64) -> tuple[Mask, I64]:
    """Which of the wanted are among ascending ids, and the rows of those that are, in the order wanted."""
    wanted = np.asarray(wanted, dtype=np.int64)
    if not ids.size:
        return np.zeros(wanted.size, dtype=bool), np.empty(0, dtype=np.int64)
    rows = np.minimum(np.searchsorted(ids, wanted), ids.size - 1)
    is_known = ids[rows] == wanted
    return is_known, rows[is_known]


def place_rows(values: NDArray[Any], rows: I64, n: int) -> NDArray[Any]:
    """(n, ...): values in these rows, zeros in all others."""
    placed = np.zeros((n, *values.shape[1:]), dtype=values.dtype)
    placed[rows] = values
    return placed


def top_k(scores: NDArray[np.floating[Any]], k: int) -> I64:
    """Positions of the k largest scores, largest first, ties by position; never one that is -inf."""
    k = min(k, scores.size)
    if k < 1:
        return np.empty(0, dtype=np.int64)
    threshold = np.partition(scores, scores.size - k)[scores.size - k]
    above = np.flatnonzero(scores > threshold)
    # The sort is stable and `above` ascends, so equal scores keep the order of their positions.
    above = above[np.argsort(-scores[above], kind="stable")]
    if threshold == -np.inf:
        return above
    # Most scores may be equal to the last: they need no sorting.
    return np.concatenate([above, np.flatnonzero(scores == threshold)[: k - above.size]])


def expand_ranges(starts: I64, lengths: I64) -> I64:
    """All positions of the ranges [start, start + length), one range after the other."""
    positions = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    positions += np.arange(positions.size)
    return positions


def rank_in_group(groups: I64) -> I64:
    """Place of each entry in its group, from 0; the entries of a group (a number from 0) stand together."""
    n_of_group = np.bincount(groups)
    return np.asarray(np.arange(groups.size) - (np.cumsum(n_of_group) - n_of_group)[groups])


def find_starts(groups: I64, n_groups: int) -> I64:
    """(n_groups + 1,): where each group begins among entries sorted by group (a number from 0)."""
    return np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=n_groups))]).astype(np.int64)


def pack_pairs(left: I64, right: I64) -> I64:
    """One number for each pair, in the order of pairs; right is in [0, 2³²)."""
    return (left << 32) | right


def unpack_pairs(pairs: I64) -> tuple[I64, I64]:
    """Left and right of packed pairs."""
    return pairs >> 32, pairs & LOW_HALF
