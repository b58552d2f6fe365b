"""Boosted trees as plain arrays, summed for many rows at once, without the library that grew them.

Lucchese et al. 2015, "QuickScorer": the leaves of a tree that a row may still reach are the bits of a number.
Each split that a row fails takes those on its left away; of what is left after all splits, in whatever order,
the lowest bit is the row's leaf. So all splits on one feature are one look-up, in all trees at once.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.arrays import F32, F64, I32, I64

MAX_LEAVES: Final = 16
"""Bits of a set of leaves."""
LeafSets = NDArray[np.uint16]
DE_BRUIJN: Final = np.uint16(0x09AF)
"""Of its bits every four in a row are another number: Leiserson, Prokop & Randall 1998."""


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees over n_features features: a row goes left where its value is at most the threshold."""

    thresholds: F64
    """(n_thresholds,): of the first feature, ascending, then of the second and so on."""
    starts: I64
    """(n_features + 1,): where those of each feature begin."""
    reachable: LeafSets
    """(n_thresholds + n_features, n_trees): leaves left by how many thresholds are below a value.

    Of each feature one row more than it has thresholds, from none of them to all.
    """
    leaf_values: F32
    """(n_trees, MAX_LEAVES)."""

    def score(self, features: F32) -> F32:
        """(n_rows,): the sum of all trees for these rows, (n_rows, n_features)."""
        left = np.full((features.shape[0], self.leaf_values.shape[0]), -1, dtype=np.int16).view(np.uint16)
        found = np.empty_like(left)
        columns = np.ascontiguousarray(features.T, dtype=np.float64)
        for feature, thresholds, reachable in self._splits:
            left &= reachable.take(thresholds.searchsorted(columns[feature]), axis=0, out=found, mode="clip")
        # The lowest bit alone; then what it moves to the top of the number, which differs for each bit.
        left &= -left
        left *= DE_BRUIJN
        left >>= 12
        return np.asarray(self._values.take(left + self._first_leaves, mode="clip").sum(axis=1))

    @cached_property
    def _splits(self) -> list[tuple[int, F64, LeafSets]]:
        """Each feature that trees look at, with its thresholds and what is reachable."""
        bounds = pairwise(map(int, self.starts))
        return [
            (feature, self.thresholds[start:end], self.reachable[start + feature : end + feature + 1])
            for feature, (start, end) in enumerate(bounds)
            if start < end
        ]

    @cached_property
    def _first_leaves(self) -> I32:
        return np.arange(0, self.leaf_values.size, MAX_LEAVES, dtype=np.int32)

    @cached_property
    def _values(self) -> F32:
        """(n_trees · MAX_LEAVES,): those of each tree, in the order of what the bits move to the top."""
        tops = (DE_BRUIJN << np.arange(MAX_LEAVES, dtype=np.uint16)) >> np.uint16(12)
        values = np.empty_like(self.leaf_values)
        values[:, tops] = self.leaf_values
        return values.ravel()
