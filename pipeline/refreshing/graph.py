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
MOST_UNLINKED: Final = 1_000
"""More vectors are linked: each costs a look-up a little, and to link one takes a copy of the graph."""
N_COMPARED: Final = 4
"""Nearest of a new vector among which one that equals it is looked for."""


def renew_graph(
    graph: VectorGraph, new_rows: I64, changed: I64, vectors: F32, params: IndexParams
) -> VectorGraph:
    """The graph with (n_changed, dim) vectors for the rows in `changed`, as rows are counted now.

    new_rows tells for each row of before which one it is now, -1 for none. A vector stays in the graph when
    its last book goes: a graph has no removal, and look-ups pass it over. A few new ones are not linked.
    """
    rows, groups = new_rows[graph.rows], np.repeat(np.arange(graph.n_distinct), np.diff(graph.starts))
    stays = (rows >= 0) & ~np.isin(rows, changed)
    rows, groups = rows[stays], groups[stays]
    n_empty = graph.n_distinct - np.unique(groups).size
    if n_empty > MOST_EMPTY * graph.n_distinct:
        return _build(graph, rows, groups, changed, vectors, params)
    is_added = vectors.any(axis=1)
    missing, added_groups = _find_groups(graph, vectors[is_added])
    rows, groups = np.concatenate([rows, changed[is_added]]), np.concatenate([groups, added_groups])
    order = np.lexsort((rows, groups))
    starts = find_starts(groups, graph.n_distinct + missing.shape[0])
    index, unlinked = _extend(graph, missing)
    return VectorGraph(index, starts, rows[order], unlinked)


def _build(
    graph: VectorGraph, rows: I64, groups: I64, changed: I64, vectors: F32, params: IndexParams
) -> VectorGraph:
    n_rows = max(rows.max(initial=-1), changed.max(initial=-1)) + 1
    of_all = np.zeros((n_rows, graph.index.d), dtype=np.float32)
    linked = graph.index.reconstruct_n(0, graph.index.ntotal)
    of_all[rows] = np.vstack([linked, _list_unlinked(graph)])[groups]
    of_all[changed] = vectors
    return build_graph(of_all, params)


def _find_groups(graph: VectorGraph, vectors: F32) -> tuple[F32, I64]:
    """Those that the graph lacks, and for each of all its group: that of an equal vector if there is one."""
    first, place = find_distinct(vectors)
    groups = np.array([_find_equal(graph, vector) for vector in vectors[first]], dtype=np.int64)
    is_missing = groups < 0
    groups[is_missing] = graph.n_distinct + np.arange(is_missing.sum())
    return vectors[first[is_missing]], groups[place]


def _extend(graph: VectorGraph, vectors: F32) -> tuple[faiss.IndexHNSW, F32 | None]:
    """The index and the unlinked vectors, with these."""
    if not vectors.size:
        return graph.index, graph.unlinked
    unlinked = np.vstack([_list_unlinked(graph), vectors])
    if unlinked.shape[0] <= MOST_UNLINKED:
        return graph.index, unlinked
    index = _copy(graph.index)
    add_in_order(index, unlinked)
    return index, None


def _list_unlinked(graph: VectorGraph) -> F32:
    """(n, dim)."""
    return np.empty((0, graph.index.d), dtype=np.float32) if graph.unlinked is None else graph.unlinked


def _copy(index: faiss.IndexHNSW) -> faiss.IndexHNSW:
    """An index of its own: a mapped one is a view of its file, and takes nothing in."""
    # By a file, since a copy in memory would take three times its size.
    with tempfile.NamedTemporaryFile(prefix="bookmesh-") as file:
        faiss.write_index(index, file.name)
        copied: faiss.IndexHNSW = faiss.read_index(file.name)  # type: ignore[assignment]
    return copied


def _find_equal(graph: VectorGraph, vector: F32) -> int:
    """The graph's vector that equals this one, as far as its few nearest are known; -1 for none."""
    n_linked = graph.index.ntotal
    if n_linked:
        _, nearest = graph.index.search(vector[None], min(N_COMPARED, n_linked))
        for at in nearest[0][nearest[0] >= 0].tolist():
            if is_one(np.asarray(graph.index.reconstruct(at)), vector):
                return int(at)
    others = _list_unlinked(graph)
    return next((n_linked + at for at, other in enumerate(others) if is_one(other, vector)), -1)
