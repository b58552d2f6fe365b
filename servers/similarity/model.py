"""Finds books near a book, or near a subject vector, by inner products."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import faiss
import numpy as np
from scipy.sparse import csr_array

from contracts.similarity import SimilarMode
from foundation.arrays import F16, F32, I64, find_rows
from foundation.sparse import Entries, gather_rows
from servers.errors import BookUnknown, VectorMissing, VectorUnfit
from servers.graph import VectorGraph, view_vectors

MAX_GRAPH_DEPTH: Final = 1000
"""Beyond this many neighbours the exact scan answers, which misses nothing."""


RELATING: Final[tuple[SimilarMode, ...]] = ("blend", "item-item")
"""Modes that ask for more than vectors tell."""
NOTHING: Final = Entries(
    np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
)


@dataclass(frozen=True, eq=False)
class SimilarityModel:
    """Graphs for look-ups by one kind of vector, a flat index of both for exact mixtures, and weights.

    Row i of every index is book_ids[i]. A row of the flat index is the subject vector and the ALS vector side
    by side, the first of unit norm, the second shorter the fewer have read the book; zero if it has none.
    """

    book_ids: I64
    """(n,), ascending."""
    subject_index: VectorGraph
    als_index: VectorGraph
    hybrid_index: faiss.IndexFlatCodes
    """In 16 bits a component, 32 before 0.8.0: scores are of the vectors as they are kept."""
    dims: dict[str, int]
    """Length of each half: `subject`, `als`."""
    related: csr_array | None = None
    """(n, n): what speaks for books beside their vectors: the same readers, or authors; None before 0.7.0."""

    def similar(
        self, book_id: int, *, mode: SimilarMode, weight: float, k: int, exclude: Sequence[int] = ()
    ) -> tuple[I64, F32]:
        """The k books most similar to one, ids and scores, best first, ties by id.

        Scores are inner products (`weight` mixes those of `hybrid`) and, for `blend` and `item-item`, what is
        `related`. Never the book itself, an excluded one, or one without any such likeness; fewer than k only
        if there are no more. All but `hybrid` may miss a few of the exact ones. Raises BookUnknown,
        VectorMissing.
        """
        row = self._row(book_id)
        query, related = self._scale(self.vectors[row], mode, weight), self._related_to(row, mode)
        is_former = self.related is None and mode in RELATING
        if is_former or not (query.any() or related.columns.size):
            raise VectorMissing(book_id, mode)
        hidden = np.append(find_rows(self.book_ids, exclude)[1], row)
        candidates = self._find(query, mode, k + hidden.size + related.columns.size)
        rows, scores = _without(*self._weigh(query, candidates, related), hidden)
        if rows.size < k and hidden.size + k < self.book_ids.size and query.any():
            everything = np.arange(self.book_ids.size)
            rows, scores = _without(*self._weigh(query, everything, related), hidden)
        return self._ranked(rows, scores, k)

    def nearest(self, vector: Sequence[float], k: int) -> tuple[I64, F32]:
        """The k books whose subject vectors are nearest to this one, exactly; ids and inner products.

        A book without a subject vector counts as 0, so the scores agree with `scores`. Raises VectorUnfit.
        """
        query = self._widen(self._subject_vector(vector))
        scores, rows = self.hybrid_index.search(query[None], min(k, self.book_ids.size))
        return self._ranked(rows[0], scores[0], k)

    def scores(self, vector: Sequence[float], book_ids: Sequence[int]) -> F32:
        """(n_books,): inner product of each book's subject vector with this one, 0 for an unknown book."""
        query = self._subject_vector(vector)
        is_known, rows = find_rows(self.book_ids, book_ids)
        scores = np.zeros(len(book_ids), dtype=np.float32)
        scores[is_known] = self._multiply(rows, self._widen(query))
        return scores

    def warm_up(self) -> None:
        """Touch what the first request would wait for; a version without books fails here."""
        zero = [0.0] * self.dims["subject"]
        self.nearest(zero, k=1)
        self.scores(zero, [int(self.book_ids[0])])

    @cached_property
    def vectors(self) -> F16 | F32:
        """(n, dim) view of the flat index's own memory."""
        return view_vectors(self.hybrid_index)

    def _multiply(self, rows: I64, query: F32) -> F32:
        """(n_rows,): inner products of these rows and a query, (dim,)."""
        # Not by `take`, which first copies a whole array that begins at an odd place of its file.
        return np.asarray(self.vectors[rows].astype(np.float32, copy=False) @ query)

    def _widen(self, subject_vector: F32) -> F32:
        """The query, (dim,), that compares subjects alone."""
        query = np.zeros(self.hybrid_index.d, dtype=np.float32)
        query[: subject_vector.size] = subject_vector
        return query

    def _scale(self, vector: F16 | F32, mode: SimilarMode, weight: float) -> F32:
        """The query, (dim,): it carries the weight, so that any weight is exact over the same index."""
        by_subject, by_als = {
            "als": (0.0, 1.0),
            "subject": (1.0, 0.0),
            "hybrid": (1 - weight, weight),
            "blend": (0.5, 0.5),
            "item-item": (0.0, 0.0),
        }[mode]
        query = vector.astype(np.float32)
        query[: self.dims["subject"]] *= by_subject
        query[self.dims["subject"] :] *= by_als
        return query

    def _related_to(self, row: int, mode: SimilarMode) -> Entries:
        """What is related to a book; nothing in modes that do not ask for it."""
        if self.related is None or mode not in RELATING:
            return NOTHING
        return gather_rows(self.related, np.array([row]))

    def _find(self, query: F32, mode: SimilarMode, depth: int) -> I64:
        """Rows near to a query, about `depth` of each kind that it asks for; of a mixture exactly."""
        depth, halves = min(depth, self.book_ids.size), np.split(query, [self.dims["subject"]])
        if query.any() and (mode == "hybrid" or depth > MAX_GRAPH_DEPTH):
            return np.asarray(self.hybrid_index.search(query[None], depth)[1][0])
        graphs = zip((self.subject_index, self.als_index), halves, strict=True)
        found = [graph.search(half, depth)[1] for graph, half in graphs if half.any()]
        return np.concatenate([NOTHING.columns, *found])

    def _weigh(self, query: F32, rows: I64, related: Entries) -> tuple[I64, F32]:
        """These rows and those that are related, with what speaks for each."""
        rows = np.union1d(rows, related.columns)
        scores = self._multiply(rows, query)
        scores[np.searchsorted(rows, related.columns)] += related.values
        return rows, scores

    def _ranked(self, rows: I64, scores: F32, k: int) -> tuple[I64, F32]:
        # Rows ascend with book ids, so the row breaks ties as the id would.
        order = np.lexsort((rows, -scores))[:k]
        return self.book_ids[rows[order]], scores[order]

    def _row(self, book_id: int) -> int:
        is_known, rows = find_rows(self.book_ids, [book_id])
        if not is_known[0]:
            raise BookUnknown(book_id)
        return int(rows[0])

    def _subject_vector(self, vector: Sequence[float]) -> F32:
        if len(vector) != self.dims["subject"]:
            raise VectorUnfit(len(vector), self.dims["subject"])
        return np.asarray(vector, dtype=np.float32)


def _without(rows: I64, scores: F32, hidden: I64) -> tuple[I64, F32]:
    """Leave out hidden rows and books that have no such vector."""
    # A zero vector is the only one in practice whose inner product is exactly 0.
    kept = (scores != 0) & ~np.isin(rows, hidden)
    return rows[kept], scores[kept]
