"""Ranks books for a reader from their history: ALS, item neighbours, authors and popularity, blended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import F32, F64, I64, find_rows, gather_rows, top_k
from servers.errors import NoKnownBooks

EVIDENCE: Final = ("als", "neighbours", "authors", "popularity")
"""The kinds of evidence, in the order of the rows of `AlsModel.evidence`; the keys of `params["blend"]`."""
LOW_RATING: Final = 5.0
LOW_RATING_WEIGHT: Final = np.float32(0.5)
"""What a book rated lower counts: recall loses nothing, and what a reader hated drives their list less."""
TINY: Final = 1e-30
"""Smaller sums of evidence are rounding; dividing by them would overflow float32."""


def build_gram(item_factors: F32, regularization: float) -> F32:
    """YᵀY + λI, (n_factors, n_factors)."""
    ridge = regularization * np.eye(item_factors.shape[1], dtype=np.float32)
    return np.asarray(item_factors.T @ item_factors + ridge, dtype=np.float32)


def fold_in(item_factors: F32, gram: F32, item_idx: I64, confidence: F32) -> F32:
    """Factors (n_factors,) for one unseen user: Hu, Koren & Volinsky 2008, equation 4.

    confidence is (n_liked,): alpha · r as `implicit` has it, not 1 + alpha · r. Raises LinAlgError if gram is
    singular.
    """
    liked = item_factors[item_idx]
    # An unliked book has confidence 1, so gram already holds its share; only liked rows correct it.
    correction = (liked * (confidence - 1)[:, None]).T @ liked
    return np.asarray(np.linalg.solve(gram + correction, confidence @ liked), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class AlsModel:
    """Everything that ranking needs; rows of every array are the n books of `book_ids`."""

    book_ids: I64
    """(n,), ascending."""
    item_factors: F32
    """(n, n_factors)."""
    gram: F32
    """YᵀY + λI."""
    neighbours: csr_array
    """(n, n): row h holds the weights with which book h speaks for others."""
    book_authors: csr_array
    """(n, n_authors): the square root of the book's readers where the author wrote the book."""
    popularity: F32
    """(n,) in [0, 1]: log1p(count) / log1p(largest count)."""
    params: dict[str, Any]
    """`alpha` of the fold-in and `blend`, the weight of each kind of evidence; the weights sum to 1."""

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
        history, weights = self.weigh(history_ids, ratings)
        if not history.size:
            raise NoKnownBooks(history_ids)
        scores = self._blend(popularity_weight) @ self.evidence(history, weights)
        scores[history] = -np.inf
        scores[find_rows(self.book_ids, exclude)[1]] = -np.inf
        best = top_k(scores, k)
        return self.book_ids[best], scores[best]

    def explain(
        self, history_ids: Sequence[int], ratings: Sequence[float | None], book_ids: Sequence[int], *, k: int
    ) -> list[list[tuple[int, float]]]:
        """For each asked book the k books of the history that speak for it most, with shares in (0, 1].

        The shares of the whole history sum to 1; popularity comes from no book of it, so it has none. A book
        that this version does not know, or that nothing in the history speaks for, has an empty list. Raises
        NoKnownBooks.
        """
        history, weights = self.weigh(history_ids, ratings)
        if not history.size:
            raise NoKnownBooks(history_ids)
        is_known, asked = find_rows(self.book_ids, book_ids)
        shares = iter(self._shares(history, weights, asked))
        return [self._strongest(history, next(shares), k) if known else [] for known in is_known]

    def weigh(
        self, history_ids: Sequence[int] | I64, ratings: Sequence[float | None] | F32
    ) -> tuple[I64, F32]:
        """Rows of the known books of a history, ascending and distinct, and how much each counts."""
        is_known, item_idx = find_rows(self.book_ids, history_ids)
        history, first = np.unique(item_idx, return_index=True)
        rated = np.asarray(ratings, dtype=np.float32)[is_known][first]
        return history, np.where(rated < LOW_RATING, LOW_RATING_WEIGHT, np.float32(1))

    def evidence(self, history: I64, weights: F32) -> F32:
        """(4, n): what each kind says of every book, divided by its largest value outside the history."""
        raw = self._raw_evidence(history, weights)
        return raw * self._scale(raw, history)[:, None]

    def _raw_evidence(self, history: I64, weights: F32) -> F32:
        n = self.book_ids.size
        rows = np.empty((len(EVIDENCE), n), dtype=np.float32)
        confidence = self.params["alpha"] * weights
        rows[0] = self.item_factors @ fold_in(self.item_factors, self.gram, history, confidence)
        entries = gather_rows(self.neighbours, history)
        rows[1] = np.bincount(entries.columns, entries.values * weights[entries.rows], minlength=n)
        rows[2] = self.book_authors @ np.sqrt(self._taste(history, weights))
        rows[3] = self.popularity
        return rows

    def _scale(self, raw: F32, history: I64) -> F32:
        """(4,): one over each kind's largest value outside the history; 0 where that is 0."""
        # ALS scores the history itself highest; dividing by that would shrink its say on everything else.
        others = raw.copy()
        others[:, history] = 0
        largest = others.max(axis=1)
        return np.asarray((largest > TINY) / np.maximum(largest, TINY), dtype=np.float32)

    def _shares(self, history: I64, weights: F32, asked: I64) -> F64:
        """(n_asked, n_history): what each history book brings to each score; rows sum to 1 or 0."""
        confidence, liked = self.params["alpha"] * weights, self.item_factors[history]
        inverse = np.linalg.inv(self.gram + (liked * (confidence - 1)[:, None]).T @ liked)
        # An author's evidence is the root of the summed weights of their books, divided among those books.
        each_brings = 1 / np.sqrt(np.maximum(self._taste(history, weights), LOW_RATING_WEIGHT))
        wrote = (self.book_authors[history] > 0).astype(np.float64)
        parts = (
            (self.item_factors[asked] @ inverse @ liked.T) * confidence,
            self.neighbours[history][:, asked].toarray().T * weights,
            ((self.book_authors[asked] * each_brings[None, :]) @ wrote.T.toarray()) * weights,
        )
        scale = self._blend(None) * self._scale(self._raw_evidence(history, weights), history)
        total = np.zeros((asked.size, history.size))
        for part, weight in zip(parts, scale[:3], strict=True):  # all but popularity
            total += np.maximum(part, 0) * weight
        return np.asarray(total / np.maximum(total.sum(axis=1, keepdims=True), TINY))

    def _strongest(self, history: I64, shares: F64, k: int) -> list[tuple[int, float]]:
        best = top_k(np.where(shares > 0, shares, -np.inf), k)
        return [(int(self.book_ids[history[at]]), float(shares[at])) for at in best]

    def _taste(self, history: I64, weights: F32) -> F64:
        """(n_authors,): summed weights of the books of the history that each author wrote."""
        entries = gather_rows(self.book_authors, history)
        summed = np.bincount(entries.columns, weights[entries.rows], minlength=self.book_authors.shape[1])
        return summed.astype(np.float64)

    def _blend(self, popularity_weight: float | None) -> F32:
        weights = np.array([self.params["blend"][kind] for kind in EVIDENCE], dtype=np.float32)
        if popularity_weight is None:
            return weights
        personal = weights[:-1] / np.maximum(weights[:-1].sum(), TINY)
        return np.append((1 - popularity_weight) * personal, popularity_weight).astype(np.float32)
