"""Builds indexes of unit vectors, and measures what the approximate one misses."""

import faiss
import numpy as np

from pipeline.interactions import F32
from servers.graph import VectorGraph

N_QUERIES = 500
"""Look-ups that recall is measured on: a standard error below .003 at recall .99."""
TIE = 1e-5
"""Inner products that differ by less are equal."""


def build_flat(vectors: F32) -> faiss.IndexFlatIP:
    """Exact inner-product search over (n, dim) vectors."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    return index


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
