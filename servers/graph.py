"""Searches a graph of vectors (HNSW) as broadly as the number of neighbours asks for."""

import faiss
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]


def search_graph(graph: faiss.IndexHNSWFlat, query: F32, k: int) -> tuple[F32, I64]:
    """Inner products and rows, both (k,), best first, of the k nearest to a query (dim,); row -1 fills up."""
    # Left alone, a graph searched deeper than its own breadth misses: of 1,000 neighbours a sixth at 128.
    breadth = faiss.SearchParametersHNSW(efSearch=max(graph.hnsw.efSearch, k))  # type: ignore[attr-defined]  # SWIG
    scores, rows = graph.search(query[None], k, params=breadth)
    return scores[0], rows[0]
