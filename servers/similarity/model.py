"""Finds books near a book, or near a subject vector, by inner products."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import faiss
import numpy as np

from contracts.similarity import SimilarMode
from foundation.arrays import F32, I64, find_rows
from servers.errors import BookUnknown, VectorMissing, VectorUnfit
from servers.graph import VectorGraph

MAX_GRAPH_DEPTH: Final = 1000
"""Beyond this many neighbours the exact scan answers, which misses nothing."""


@dataclass(frozen=True, eq=False)
class SimilarityModel:
    """Two graphs for look-ups by one kind of vector, and a flat index of both kinds for exact mixtures.

    Row i of every index is book_ids[i]. A row of the flat index is the subject vector and the ALS vector side
    by side, the first of unit norm, the second shorter the fewer have read the book; zero if it has none.
    """

    book_ids: I64
    """(n,), ascending."""
    subject_index: VectorGraph
    als_index: VectorGraph
    hybrid_index: faiss.IndexFlatIP
    dims: dict[str, int]
    """Length of each half: `subject`, `als`."""

    def similar(
        self, book_id: int, *, mode: SimilarMode, weight: float, k: int, exclude: Sequence[int] = ()
    ) -> tuple[I64, F32]:
        """The k books most similar to one, ids and inner products (`weight` mixes), best first, ties by id.

        Never the book itself, an excluded one, or one without such a vector; fewer than k only if there are
        no more. Raises BookUnknown, VectorMissing.
        """
        row = self._row(book_id)
        query = self._scale(self.vectors[row], mode, weight)
        if not query.any():
            raise VectorMissing(book_id, mode)
        hidden = np.append(find_rows(self.book_ids, exclude)[1], row)
        rows, scores = self._search(query, mode, k + hidden.size)
        rows, scores = _without(rows, scores, hidden)
        if rows.size < k and hidden.size + k < self.book_ids.size:
            rows, scores = _without(*self._scan(query), hidden)
        return self._ranked(rows, scores, k)

    def nearest(self, vector: Sequence[float], k: int) -> tuple[I64, F32]:
        """The k books whose subject vectors are nearest to this one, exactly; ids and inner products.

        A book without a subject vector counts as 0, so the scores agree with `scores`. Raises VectorUnfit.
        """
        query = np.zeros(self.hybrid_index.d, dtype=np.float32)
        query[: self.dims["subject"]] = self._subject_vector(vector)
        scores, rows = self.hybrid_index.search(query[None], min(k, self.book_ids.size))
        return self._ranked(rows[0], scores[0], k)

    def scores(self, vector: Sequence[float], book_ids: Sequence[int]) -> F32:
        """(n_books,): inner product of each book's subject vector with this one, 0 for an unknown book."""
        query = self._subject_vector(vector)
        is_known, rows = find_rows(self.book_ids, book_ids)
        scores = np.zeros(len(book_ids), dtype=np.float32)
        scores[is_known] = self.vectors[rows, : query.size] @ query
        return scores

    def warm_up(self) -> None:
        """Touch what the first request would wait for; a version without books fails here."""
        zero = [0.0] * self.dims["subject"]
        self.nearest(zero, k=1)
        self.scores(zero, [int(self.book_ids[0])])

    @cached_property
    def vectors(self) -> F32:
        """(n, dim) view of the flat index's own memory: no copy, still mapped."""
        n, dim = self.hybrid_index.ntotal, self.hybrid_index.d
        view: F32 = faiss.rev_swig_ptr(self.hybrid_index.get_xb(), n * dim).reshape(n, dim)
        view.flags.writeable = False
        return view

    def _scale(self, vector: F32, mode: SimilarMode, weight: float) -> F32:
        """The query, (dim,): it carries the weight, so that any weight is exact over the same index."""
        share = {"als": 1.0, "subject": 0.0, "hybrid": weight}[mode]
        query = vector.copy()
        query[: self.dims["subject"]] *= 1 - share
        query[self.dims["subject"] :] *= share
        return query

    def _search(self, query: F32, mode: SimilarMode, depth: int) -> tuple[I64, F32]:
        depth = min(depth, self.book_ids.size)
        if mode == "hybrid" or depth > MAX_GRAPH_DEPTH:
            found, places = self.hybrid_index.search(query[None], depth)
            return places[0], found[0]
        subject_half, als_half = np.split(query, [self.dims["subject"]])
        graph, half = (self.als_index, als_half) if mode == "als" else (self.subject_index, subject_half)
        scores, rows = graph.search(half, depth)
        return rows, scores

    def _scan(self, query: F32) -> tuple[I64, F32]:
        return np.arange(self.book_ids.size), self.vectors @ query

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
