"""Builds FAISS indexes of unit vectors, and measures what the approximate one misses."""

import faiss
import numpy as np

from pipeline.interactions import F32
from pipeline.settings import IndexParams

N_QUERIES = 500
"""Look-ups that recall is measured on: a standard error below .003 at recall .99."""


def build_flat(vectors: F32) -> faiss.IndexFlatIP:
    """Exact inner-product search over (n, dim) vectors."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    return index


def build_hnsw(vectors: F32, *, params: IndexParams) -> faiss.IndexHNSWFlat:
    """A graph (HNSW, Malkov & Yashunin 2016) for approximate inner-product search over (n, dim) vectors.

    One thread builds it: the graph depends on the order of insertion, and threads would race for that.
    """
    index = faiss.IndexHNSWFlat(vectors.shape[1], params.hnsw_links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = params.ef_construction
    index.hnsw.efSearch = params.ef_search
    n_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index.add(np.ascontiguousarray(vectors))
    finally:
        faiss.omp_set_num_threads(n_threads)
    return index


def measure_ann_recall(index: faiss.Index, vectors: F32, k: int, rng: np.random.Generator) -> float:
    """Mean share of the exact k nearest that the index finds too, over a sample of the non-zero vectors.

    A book that ties with the exact k-th counts as found: which of equals comes back is chance.
    """
    filled = np.flatnonzero(vectors.any(axis=1))
    k = min(k, filled.size)
    if k == 0:
        return 1.0
    queries = vectors[np.sort(rng.choice(filled, min(N_QUERIES, filled.size), replace=False))]
    exact = np.sort(queries @ vectors.T, axis=1)[:, -k]
    found, rows = index.search(queries, k)
    return float(((found >= exact[:, None] - 1e-5) & (rows >= 0)).mean())
