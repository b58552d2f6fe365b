"""Ranks books for readers without a history, by what they tell of themselves.

Favourite subjects and authors, and traits such as an age group, foretell the ALS factors that a reader
would have (`pipeline/ranking/newcomers.py` learns how). Beside the books that these speak for come those
of the favourite authors themselves, and what everybody reads.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from evidence.kind import TINY, Found, Products, Same, Terms
from evidence.registry import Evidence
from foundation.arrays import F32, I64, find_rows
from foundation.sparse import gather_rows

TASTE, AUTHORS, POPULARITY = "taste", "authors", "popularity"
NO_ROWS: Final = np.empty(0, dtype=np.int64)
STEP: Final = 0.2
"""How much less than the one before each of the first favourites counts: their order tells much."""
TRAIT_WEIGHT: Final = 0.5
"""What a trait counts, where the dearest favourite counts 1."""


class Told(NamedTuple):
    """What a reader tells of themselves, or an import has found of them; favourites the dearest first."""

    subjects: Sequence[str] = ()
    author_ids: Sequence[int] = ()
    traits: Collection[str] = ()
    """Such as `gender=female`."""


@dataclass(frozen=True, eq=False)
class Newcomers:
    """What favourites and traits tell of a reader's taste."""

    subjects: list[str]
    author_ids: I64
    """Ascending: those that enough readers have as a favourite."""
    traits: list[str]
    effects: F32
    """(n_subjects + n_authors + n_traits, n_factors): what each adds to a reader's factors."""
    means: F32
    """(n_sorts, n_factors): what each sort of effects adds to the factors of the mean reader."""
    base: F32
    """(n_factors,): the factors of the mean reader, which what is not told leaves as they are."""
    params: dict[str, Any]
    """`blend`: weights of taste, authors and popularity, in sum 1; `units`, what scores are divided by."""

    def find(self, told: Told, evidence: Evidence) -> dict[str, Found] | None:
        """What is blended, in units of its own; None if nothing that was told is known."""
        rows, weights = self._find_effects(told)
        by_authors = _find_by_authors(told.author_ids, evidence)
        if not rows.size and by_authors is None:
            return None
        told_sorts = np.unique(self._sort_of[rows])
        factors = self.base + weights @ self.effects[rows] - self.means[told_sorts].sum(axis=0)
        return {
            TASTE: Products(evidence.als.item_factors, factors),
            AUTHORS: by_authors or Terms(NO_ROWS, np.empty(0, dtype=np.float32)),
            POPULARITY: Same(evidence.popularity.popularity),
        }

    def weigh(self, popularity_weight: float | None = None) -> dict[str, float]:
        """What each part's scores are multiplied by.

        `popularity_weight` replaces the share of popularity in the tuned blend.
        """
        blend, units = self.params["blend"], self.params["units"]
        weights = blend if popularity_weight is None else _reblend(blend, popularity_weight)
        return {name: weights[name] / units[name] for name in (TASTE, AUTHORS, POPULARITY)}

    def _find_effects(self, told: Told) -> tuple[I64, F32]:
        """Rows of what is known of what was told, and how much each counts."""
        found: dict[int, float] = {}
        for place, name in enumerate(told.subjects):
            if (row := self._subject_rows.get(name.casefold())) is not None:
                found.setdefault(row, weigh_place(place))
        is_known, rows = find_rows(self.author_ids, np.array(told.author_ids, dtype=np.int64))
        for place, row in zip(np.flatnonzero(is_known).tolist(), rows.tolist(), strict=True):
            found.setdefault(len(self.subjects) + row, weigh_place(place))
        first = len(self.subjects) + self.author_ids.size
        found |= {
            first + self.traits.index(name): TRAIT_WEIGHT for name in self.traits if name in told.traits
        }
        return np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=np.float32)

    @cached_property
    def _sort_of(self) -> I64:
        """(n_effects,): of each effect the row of its sort in `means`."""
        return sort_effects(len(self.subjects), self.author_ids.size, self.traits)

    @cached_property
    def _subject_rows(self) -> dict[str, int]:
        return {name.casefold(): row for row, name in enumerate(self.subjects)}


def sort_effects(n_subjects: int, n_authors: int, traits: Sequence[str]) -> I64:
    """(n_effects,): 0 for subjects, 1 for authors, from 2 on for each kind of trait, such as `gender`."""
    kinds = [trait.partition("=")[0] for trait in traits]
    order = sorted(set(kinds))
    of_traits = [2 + order.index(kind) for kind in kinds]
    return np.array([0] * n_subjects + [1] * n_authors + of_traits, dtype=np.int64)


def weigh_place(place: int) -> float:
    """How much a favourite counts; the dearest has place 0 and counts 1, all from the fifth on as much."""
    return max(1 - STEP * place, STEP)


def _find_by_authors(author_ids: Sequence[int], evidence: Evidence) -> Terms | None:
    """For each book √readers, times what its authors count; None if none of them is known."""
    authors = evidence.authors
    if authors.author_ids is None:
        return None
    is_known, columns = find_rows(authors.author_ids, author_ids)
    if not columns.size:
        return None
    weights = np.array([weigh_place(place) for place in np.flatnonzero(is_known).tolist()], dtype=np.float32)
    wrote = gather_rows(authors.author_books, columns)
    return Terms(wrote.columns, wrote.values * weights[wrote.rows])


def _reblend(blend: dict[str, float], popularity_weight: float) -> dict[str, float]:
    """The tuned weights, but this share of popularity."""
    shares = {name: (1 - popularity_weight) * weight for name, weight in blend.items()}
    personal = max(1 - blend[POPULARITY], TINY)
    return {**{name: share / personal for name, share in shares.items()}, POPULARITY: popularity_weight}
