"""Adds vectors to a graph and takes some out of it, where building it anew would take minutes."""

import tempfile
from typing import Final

import faiss
import numpy as np

from foundation.arrays import F32, I64, find_starts
from pipeline.models.vector_index import add_in_order, build_graph, find_distinct, is_one
from pipeline.settings import IndexParams
from servers.graph import VectorGraph

MOST_EMPTY: Final = 0.05
"""Share of a graph's vectors that may stand for no book any more before it is built anew."""
N_COMPARED: Final = 4
"""Nearest of a new vector among which one that equals it is looked for."""


def renew_graph(
    graph: VectorGraph, new_rows: I64, changed: I64, vectors: F32, params: IndexParams
) -> VectorGraph:
    """The graph with (n_changed, dim) vectors for the rows in `changed`, as rows are counted now.

    new_rows tells for each row of before which one it is now, -1 for none. A vector stays in the graph when
    its last book goes: a graph has no removal, and look-ups pass it over.
    """
    rows, groups = new_rows[graph.rows], np.repeat(np.arange(graph.starts.size - 1), np.diff(graph.starts))
    stays = (rows >= 0) & ~np.isin(rows, changed)
    rows, groups = rows[stays], groups[stays]
    n_empty = graph.index.ntotal - np.unique(groups).size
    if n_empty > MOST_EMPTY * graph.index.ntotal:
        return _build(graph, rows, groups, changed, vectors, params)
    is_added = vectors.any(axis=1)
    added = changed[is_added]
    index, added_groups = _add(graph, vectors[is_added])
    rows, groups = np.concatenate([rows, added]), np.concatenate([groups, added_groups])
    order = np.lexsort((rows, groups))
    return VectorGraph(index, find_starts(groups, index.ntotal), rows[order])


def _build(
    graph: VectorGraph, rows: I64, groups: I64, changed: I64, vectors: F32, params: IndexParams
) -> VectorGraph:
    n_rows = max(rows.max(initial=-1), changed.max(initial=-1)) + 1
    of_all = np.zeros((n_rows, graph.index.d), dtype=np.float32)
    of_all[rows] = graph.index.reconstruct_n(0, graph.index.ntotal)[groups]
    of_all[changed] = vectors
    return build_graph(of_all, params)


def _add(graph: VectorGraph, vectors: F32) -> tuple[faiss.IndexHNSWFlat, I64]:
    """The index with these vectors, and the group of each: that of an equal vector where there is one."""
    first, place = find_distinct(vectors)
    groups = np.array([_find_equal(graph.index, vector) for vector in vectors[first]], dtype=np.int64)
    is_added = groups < 0
    if not is_added.any():
        return graph.index, groups[place]
    groups[is_added] = graph.index.ntotal + np.arange(is_added.sum())
    index = _copy(graph.index)
    add_in_order(index, vectors[first[is_added]])
    return index, groups[place]


def _copy(index: faiss.IndexHNSWFlat) -> faiss.IndexHNSWFlat:
    """An index of its own: a mapped one is a view of its file, and takes nothing in."""
    # By a file, since a copy in memory would take three times its size.
    with tempfile.NamedTemporaryFile(prefix="bookmesh-") as file:
        faiss.write_index(index, file.name)
        copied: faiss.IndexHNSWFlat = faiss.read_index(file.name)  # type: ignore[assignment]
    return copied


def _find_equal(index: faiss.IndexHNSWFlat, vector: F32) -> int:
    """The vector of the index that equals this one, as far as its few nearest are known; -1 for none."""
    _, nearest = index.search(vector[None], min(N_COMPARED, index.ntotal))
    found = (int(at) for at in nearest[0] if at >= 0)
    return next((at for at in found if is_one(np.asarray(index.reconstruct(at)), vector)), -1)
