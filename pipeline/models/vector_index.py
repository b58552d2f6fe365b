"""Builds indexes of unit vectors, and measures what the approximate one misses."""

import faiss
import numpy as np

from foundation.arrays import F32, I64
from servers.graph import VectorGraph

N_QUERIES = 500
"""Look-ups that recall is measured on: a standard error below .003 at recall .99."""
TIE = 1e-5
"""Inner products that differ by less are equal."""
DOUBTED_READERS = 10
"""A book with so many readers counts half as similar as the direction of its factors says."""


def build_flat(vectors: F32) -> faiss.IndexFlatIP:
    """Exact inner-product search over (n, dim) vectors."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    return index


def weigh_directions(item_factors: F32, n_readers: I64) -> F32:
    """(n, n_factors): the directions of items' factors, shorter the fewer have read the item.

    The factors of a book with one reader point exactly where that reader's others do, so that by cosine alone
    it would be nearer to each of them than any book that many have read.
    """
    norms = np.linalg.norm(item_factors, axis=1)
    lengths = n_readers / (n_readers + DOUBTED_READERS)
    return np.asarray(item_factors * (lengths / np.where(norms > 0, norms, 1))[:, None], dtype=np.float32)


def measure_ann_recall(graph: VectorGraph, vectors: F32, k: int, rng: np.random.Generator) -> float:
    """Mean share of the exact k nearest that the graph finds too, over a sample of the non-zero vectors.

    A book that ties with the exact k-th counts as found: which of equals comes back is chance.
    """
    filled = np.flatnonzero(vectors.any(axis=1))
    k = min(k, filled.size)
    if k == 0:
        return 1.0
    queries = vectors[np.sort(rng.choice(filled, min(N_QUERIES, filled.size), replace=False))]
    exact = np.sort(queries @ vectors.T, axis=1)[:, -k]
    n_found = [
        (graph.search(query, k)[0] >= worst - TIE).sum() for query, worst in zip(queries, exact, strict=True)
    ]
    return float(np.mean(n_found) / k)
