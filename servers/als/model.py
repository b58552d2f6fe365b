"""Ranks books for a reader from their history: ALS, item neighbours, authors and popularity, blended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

EVIDENCE: Final = ("als", "neighbours", "authors", "popularity")
"""The kinds of evidence, in the order of the rows of `AlsModel.evidence`; the keys of `params["blend"]`."""
TINY: Final = np.finfo(np.float32).tiny


class NoKnownBooks(LookupError):
    """This version knows no book of the history, so it cannot rank for its reader."""

    def __init__(self, book_ids: Sequence[int]) -> None:
        super().__init__(f"none of the {len(book_ids)} books of the history is in this version")
        self.book_ids = tuple(book_ids)


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

    def known(self, book_ids: Sequence[int] | I64) -> tuple[NDArray[np.bool_], I64]:
        """Which of the books this version knows, and the rows of those that it does, in their order."""
        wanted = np.asarray(book_ids, dtype=np.int64)
        if not self.book_ids.size:
            return np.zeros(wanted.size, dtype=bool), np.empty(0, dtype=np.int64)
        item_idx = np.minimum(np.searchsorted(self.book_ids, wanted), self.book_ids.size - 1)
        is_known = self.book_ids[item_idx] == wanted
        return is_known, item_idx[is_known]

    def rank(
        self,
        history_ids: Sequence[int],
        ratings: Sequence[float | None],
        *,
        k: int,
        exclude: Sequence[int] = (),
        popularity_weight: float | None = None,
    ) -> tuple[I64, F32]:
        """The k best books for whoever has this history, ids and scores in [0, 1], best first, ties by id.

        Neither the history nor `exclude` comes back; fewer than k only if the version knows no more.
        `popularity_weight` replaces the share of popularity in the tuned blend. Raises NoKnownBooks.
        """
        history = self._history(history_ids)
        scores = self._blend(popularity_weight) @ self.evidence(history)
        scores[history] = -np.inf
        scores[self.known(exclude)[1]] = -np.inf
        best = best_items(scores, k)
        return self.book_ids[best], scores[best]

    def explain(
        self, history_ids: Sequence[int], ratings: Sequence[float | None], book_ids: Sequence[int], *, k: int
    ) -> list[list[tuple[int, float]]]:
        """For each asked book the k books of the history that speak for it most, with shares in (0, 1].

        The shares of the whole history sum to 1; popularity comes from no book of it, so it has none. A book
        that this version does not know, or that nothing in the history speaks for, has an empty list. Raises
        NoKnownBooks.
        """
        history = self._history(history_ids)
        is_known, asked = self.known(book_ids)
        shares = iter(self._shares(history, asked))
        return [self._strongest(history, next(shares), k) if known else [] for known in is_known]

    def evidence(self, history: I64) -> F32:
        """(4, n): what each kind says of every book, divided by its largest value outside the history."""
        raw = self._raw_evidence(history)
        return np.asarray(raw / self._largest(raw, history)[:, None], dtype=np.float32)

    def _raw_evidence(self, history: I64) -> F32:
        n = self.book_ids.size
        rows = np.empty((len(EVIDENCE), n), dtype=np.float32)
        rows[0] = self.item_factors @ fold_in(
            self.item_factors, self.gram, history, self._confidence(history)
        )
        neighbour_idx, weights = _entries(self.neighbours, history)
        rows[1] = np.bincount(neighbour_idx, weights, minlength=n)
        rows[2] = self.book_authors @ np.sqrt(self._books_by_author(history))
        rows[3] = self.popularity
        return rows

    def _largest(self, raw: F32, history: I64) -> F32:
        # ALS scores the history itself highest; dividing by that would shrink its say on everything else.
        others = raw.copy()
        others[:, history] = 0
        return np.asarray(np.maximum(others.max(axis=1), TINY), dtype=np.float32)

    def _shares(self, history: I64, asked: I64) -> F64:
        """(n_asked, n_history): what each history book brings to each score; rows sum to 1 or 0."""
        confidence, liked = self._confidence(history), self.item_factors[history]
        inverse = np.linalg.inv(self.gram + (liked * (confidence - 1)[:, None]).T @ liked)
        # An author's evidence is the root of how many of their books were read; each brings as much of it.
        each_brings = 1 / np.sqrt(np.maximum(self._books_by_author(history), 1))
        wrote = (self.book_authors[history] > 0).astype(np.float64)
        parts = (
            (self.item_factors[asked] @ inverse @ liked.T) * confidence,
            self.neighbours[history][:, asked].toarray().T,
            (self.book_authors[asked] * each_brings[None, :]) @ wrote.T.toarray(),
        )
        scale = self._blend(None) / self._largest(self._raw_evidence(history), history)
        total = np.zeros((asked.size, history.size))
        for part, weight in zip(parts, scale, strict=False):
            total += np.maximum(part, 0) * weight
        return np.asarray(total / np.maximum(total.sum(axis=1, keepdims=True), TINY))

    def _strongest(self, history: I64, shares: F64, k: int) -> list[tuple[int, float]]:
        best = best_items(np.where(shares > 0, shares, -np.inf), k)
        return [(int(self.book_ids[history[at]]), float(shares[at])) for at in best]

    def _books_by_author(self, history: I64) -> I64:
        """(n_authors,): how many books of the history each author wrote."""
        author_idx, _ = _entries(self.book_authors, history)
        return np.bincount(author_idx, minlength=self.book_authors.shape[1])

    def _confidence(self, history: I64) -> F32:
        return np.full(history.size, self.params["alpha"], dtype=np.float32)

    def _blend(self, popularity_weight: float | None) -> F32:
        weights = np.array([self.params["blend"][kind] for kind in EVIDENCE], dtype=np.float32)
        if popularity_weight is None:
            return weights
        personal = weights[:-1] / np.maximum(weights[:-1].sum(), TINY)
        return np.append((1 - popularity_weight) * personal, popularity_weight).astype(np.float32)

    def _history(self, history_ids: Sequence[int]) -> I64:
        _, item_idx = self.known(history_ids)
        if not item_idx.size:
            raise NoKnownBooks(history_ids)
        return np.unique(item_idx)


def best_items(scores: NDArray[np.floating[Any]], k: int) -> I64:
    """Positions of the k largest scores, largest first, ties by position; never one that is -inf."""
    k = min(k, scores.size)
    if k < 1:
        return np.empty(0, dtype=np.int64)
    threshold = np.partition(scores, scores.size - k)[scores.size - k]
    above = np.flatnonzero((scores >= threshold) & (scores > -np.inf))
    # The sort is stable and `above` ascends, so equal scores keep the order of their positions.
    return above[np.argsort(-scores[above], kind="stable")][:k]


def _entries(matrix: csr_array, rows: I64) -> tuple[I64, F32]:
    """Column numbers and values of some rows, one after the other; SciPy's indexing costs ten times that."""
    starts, ends = matrix.indptr[rows], matrix.indptr[rows + 1]
    lengths = (ends - starts).astype(np.int64)
    offsets = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    return matrix.indices[offsets].astype(np.int64), matrix.data[offsets]
