"""Ranks books for a reader from their history: all kinds of evidence, blended."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from evidence.kind import History, read_history
from evidence.registry import Evidence
from foundation.arrays import F32, F64, I64, find_rows, top_k
from servers.errors import NoKnownBooks

POPULARITY: Final = "popularity"
"""The kind whose share of the blend a request may choose."""
TINY: Final = 1e-30
"""Smaller sums of evidence are rounding; dividing by them would overflow float32."""


@dataclass(frozen=True, eq=False)
class AlsModel:
    """Everything that ranking needs; rows of every array are the n books of `book_ids`."""

    book_ids: I64
    """(n,), ascending."""
    evidence: Evidence
    params: dict[str, Any]
    """`blend`: weights of the kinds of evidence by name, in sum 1; one that is not named counts nothing."""

    def rank(
        self,
        history_ids: Sequence[int] | I64,
        ratings: Sequence[float | None] | F32,
        *,
        k: int,
        exclude: Sequence[int] = (),
        popularity_weight: float | None = None,
    ) -> tuple[I64, F32]:
        """The k best books for whoever has this history, ids and scores in [0, 1], best first, ties by id.

        Neither the history nor `exclude` comes back; fewer than k only if the version knows no more.
        `popularity_weight` replaces the share of popularity in the tuned blend. Raises NoKnownBooks.
        """
        history = self._read(history_ids, ratings)
        scores = self._reblend(popularity_weight) @ self.score_kinds(history)
        scores[history.item_idx] = -np.inf
        scores[find_rows(self.book_ids, exclude)[1]] = -np.inf
        best = top_k(scores, k)
        return self.book_ids[best], scores[best]

    def explain(
        self, history_ids: Sequence[int], ratings: Sequence[float | None], book_ids: Sequence[int], *, k: int
    ) -> list[list[tuple[int, float]]]:
        """For each of these books the k books of the history that speak for it most, with shares in (0, 1].

        The shares of the whole history sum to 1; what comes from no book of it, as popularity, has none. A
        book that this version does not know, or that nothing in the history speaks for, has an empty list.
        Raises NoKnownBooks.
        """
        history = self._read(history_ids, ratings)
        is_known, wanted = find_rows(self.book_ids, book_ids)
        shares = iter(self._shares(history, wanted))
        return [self._strongest(history, next(shares), k) if known else [] for known in is_known]

    def score_kinds(self, history: History) -> F32:
        """(n_kinds, n): each kind's scores of every book, divided by its largest outside the history."""
        raw = self._score_raw(history)
        return raw * self._scale(raw, history)[:, None]

    def _read(self, history_ids: Sequence[int] | I64, ratings: Sequence[float | None] | F32) -> History:
        history = read_history(self.book_ids, history_ids, ratings)
        if not history.item_idx.size:
            raise NoKnownBooks(history_ids)
        return history

    def _score_raw(self, history: History) -> F32:
        kinds = self.evidence.kinds.values()
        rows = np.empty((len(kinds), self.book_ids.size), dtype=np.float32)
        for row, kind in zip(rows, kinds, strict=True):
            row[:] = kind.score(history)
        return rows

    def _scale(self, raw: F32, history: History) -> F32:
        """(n_kinds,): one over each kind's largest value outside the history; 0 where that is 0."""
        # ALS scores the history itself highest; dividing by that would shrink its say on everything else.
        others = raw.copy()
        others[:, history.item_idx] = 0
        largest = others.max(axis=1)
        return np.asarray((largest > TINY) / np.maximum(largest, TINY), dtype=np.float32)

    def _shares(self, history: History, wanted: I64) -> F64:
        """(n_asked, n_history): what each history book brings to each score; rows sum to 1 or 0."""
        weights = self._blend * self._scale(self._score_raw(history), history)
        total = np.zeros((wanted.size, history.item_idx.size))
        for kind, weight in zip(self.evidence.kinds.values(), weights, strict=True):
            if (brought := kind.explain(history, wanted)) is not None:
                total += np.maximum(brought, 0) * weight
        return np.asarray(total / np.maximum(total.sum(axis=1, keepdims=True), TINY))

    def _strongest(self, history: History, shares: F64, k: int) -> list[tuple[int, float]]:
        best = top_k(np.where(shares > 0, shares, -np.inf), k)
        return [(int(self.book_ids[history.item_idx[at]]), float(shares[at])) for at in best]

    @cached_property
    def _blend(self) -> F32:
        weights = self.params["blend"]
        return np.array([weights.get(name, 0.0) for name in self.evidence.kinds], dtype=np.float32)

    def _reblend(self, popularity_weight: float | None) -> F32:
        """(n_kinds,): the tuned weights, but this share of popularity, where there is one."""
        if popularity_weight is None:
            return self._blend
        is_popularity = np.array([name == POPULARITY for name in self.evidence.kinds])
        personal = np.where(is_popularity, 0, self._blend)
        personal = (1 - popularity_weight) * (personal / np.maximum(personal.sum(), TINY))
        return np.where(is_popularity, popularity_weight, personal).astype(np.float32)
