"""Finds the few books that a blend of evidence may put first, without a look at most of the others.

A book of which the history's books say nothing has only what is said of every book: its product with the
reader's factors, and its popularity. So it can be among the best only if it is among the best by these two;
and of those, only books with long factors or many readers are. docs/adr/0024-lists-from-candidates.md tells
what that misses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from evidence.kind import Found
from evidence.registry import Evidence
from foundation.arrays import F32, I64, Chosen, Kept, Mask, find_rows, top_k

FEW_BOOKS: Final = 20_000
"""Of so many all are scored, which takes hardly longer than to find candidates, and misses nothing."""
MOST_WANTED: Final = 1000
"""Longer lists are chosen from all books: far down are those of which a history says next to nothing."""


@dataclass(frozen=True, eq=False)
class CandidateFinder:
    """Chooses which of n books are scored for a reader."""

    n: int
    head: Kept
    """The books that are worth a look for everyone."""

    @classmethod
    def build(cls, evidence: Evidence, is_shown: Mask) -> Self:
        """For books of which some are shown, (n,)."""
        popularity = evidence.popularity.popularity
        head = np.unique(np.concatenate([kind.head(popularity) for kind in evidence.kinds.values()]))
        return cls(is_shown.size, Kept(head[is_shown[head]], is_shown.size))

    def scans(self, n_wanted: int) -> bool:
        """Whether so many best are looked for among all books."""
        return self.n <= FEW_BOOKS or n_wanted > MOST_WANTED

    def choose(self, found: Sequence[Found], weights: F32, n_wanted: int, unwanted: I64) -> Chosen:
        """Rows which the n_wanted best are among, without the unwanted ones; weights are (n_found,)."""
        places = find_rows(self.head.rows, unwanted)[1]
        if self.scans(n_wanted) or n_wanted > self.head.rows.size - places.size:
            return Chosen.all(self.n)
        scores = np.zeros(self.head.rows.size, dtype=np.float32)
        for each, weight in zip(found, weights, strict=True):
            if each.candidates is None:
                scores += weight * np.asarray(each.score(self.head), dtype=np.float32)
        scores[places] = -np.inf
        # Marks: to sort 10,000 numbers would take ten times as long.
        is_chosen = np.zeros(self.n, dtype=bool)
        for each in found:
            if each.candidates is not None:
                is_chosen[each.candidates] = True
        scores[is_chosen[self.head.rows]] = -np.inf
        is_chosen[self.head.rows[top_k(scores, n_wanted)]] = True
        return Chosen.of(is_chosen)


def score_all(found: Sequence[Found], chosen: Chosen) -> F32:
    """(n_kinds, n_chosen)."""
    return np.array([each.score(chosen) for each in found], dtype=np.float32)
