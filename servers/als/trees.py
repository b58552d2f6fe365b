"""Boosted trees as plain arrays, summed for many rows at once, without the library that grew them.

Lucchese et al. 2015, "QuickScorer": the leaves of a tree that a row may still reach are the bits of a number.
Each split that a row fails takes those on its left away; of what is left after all splits, in whatever order,
the lowest bit is the row's leaf. So all splits on one feature are one look-up, in all trees at once.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.arrays import F32, F64, I64

MAX_LEAVES: Final = 16
"""Bits of a set of leaves."""
LeafSets = NDArray[np.uint16]


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
        n_rows, n_trees = features.shape[0], self.leaf_values.shape[0]
        left = np.full((n_rows, n_trees), -1, dtype=np.int16).view(np.uint16)
        found = np.empty_like(left)
        for feature, (start, end) in enumerate(zip(self.starts, self.starts[1:], strict=False)):
            if start < end:
                n_below = np.searchsorted(self.thresholds[start:end], features[:, feature])
                np.take(self.reachable, n_below + (start + feature), axis=0, out=found, mode="clip")
                left &= found
        leaves = _LOWEST_BIT[left] + self._first_leaves
        return np.asarray(self.leaf_values.ravel()[leaves].sum(axis=1))

    @cached_property
    def _first_leaves(self) -> I64:
        return np.arange(self.leaf_values.shape[0]) * MAX_LEAVES


def _find_lowest_bits() -> NDArray[np.uint8]:
    sets = np.arange(2**MAX_LEAVES)
    lowest = sets & -sets
    lowest[0] = 1
    return np.asarray(np.log2(lowest), dtype=np.uint8)


_LOWEST_BIT: Final = _find_lowest_bits()
