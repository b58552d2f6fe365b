"""Builds books' vectors and their indexes, and measures what the approximate one misses."""

from typing import Final

import faiss
import numpy as np

from foundation.arrays import F32, I64, find_starts
from pipeline.models.subject_sets import SubjectSets, collect_author_sets, collect_subject_sets
from pipeline.records import Export
from pipeline.settings import IndexParams
from servers.embedder.model import EmbedderModel
from servers.graph import VectorGraph

IN_16_BITS: Final = faiss.ScalarQuantizer.QT_fp16
ANN_K: Final = 30
"""Neighbours of a look-up whose recall is measured."""
RESOLUTION: Final = 1e5
"""Vectors whose components agree to this inverse are one: sums in another order differ less."""
N_QUERIES: Final = 500
"""Look-ups that recall is measured on: a standard error below .003 at recall .99."""
TIE: Final = 1e-5
"""Inner products that differ by less are equal."""
DOUBTED_READERS: Final = 10
"""A book with so many readers counts half as similar as the direction of its factors says."""


def pool_subjects(embedder: EmbedderModel, catalog: Export, book_ids: I64) -> F32:
    """(n_books, dim): each book's subjects alone, pooled; zero without a known one."""
    return embedder.pool_sets(*_collect_subjects(embedder, catalog, book_ids).sets)


def pool_books(embedder: EmbedderModel, catalog: Export, book_ids: I64) -> F32:
    """(n_books, dim): each book's subjects and authors, pooled; zero without a known one."""
    subjects = _collect_subjects(embedder, catalog, book_ids)
    authors = collect_author_sets(catalog.book_authors, book_ids, embedder.author_ids)
    return embedder.pool_sets(*subjects.sets.join(authors.shift(len(embedder.subjects))))


def _collect_subjects(embedder: EmbedderModel, catalog: Export, book_ids: I64) -> SubjectSets:
    return collect_subject_sets(catalog.book_subjects, catalog.subjects, book_ids, known=embedder.subjects)


def build_flat(vectors: F32) -> faiss.IndexScalarQuantizer:
    """Inner-product search over all of (n, dim) vectors, which are kept in 16 bits a component."""
    index = faiss.IndexScalarQuantizer(vectors.shape[1], IN_16_BITS, faiss.METRIC_INNER_PRODUCT)
    index.add(np.ascontiguousarray(vectors))
    return index


def build_graph(vectors: F32, params: IndexParams) -> VectorGraph:
    """The HNSW graph of those of (n, dim) vectors that are not zero."""
    filled = np.flatnonzero(vectors.any(axis=1))
    first, group = find_distinct(vectors[filled])
    linked = faiss.IndexHNSWFlat(vectors.shape[1], params.hnsw_links, faiss.METRIC_INNER_PRODUCT)
    linked.hnsw.efConstruction = params.ef_construction
    linked.hnsw.efSearch = params.ef_search
    add_in_order(linked, vectors[filled[first]])
    rows = filled[np.argsort(group, kind="stable")]
    return VectorGraph(index=_halve(linked), starts=find_starts(group, first.size), rows=rows)


def _halve(linked: faiss.IndexHNSWFlat) -> faiss.IndexHNSWSQ:
    """The same links between the same vectors in 16 bits a component: half the memory, and no slower."""
    index = faiss.IndexHNSWSQ(linked.d, IN_16_BITS, 2, linked.metric_type)  # type: ignore[arg-type]  # an int
    index.hnsw = linked.hnsw
    faiss.downcast_index(index.storage).add(linked.reconstruct_n(0, linked.ntotal))
    index.ntotal = linked.ntotal
    return index


def add_in_order(index: faiss.IndexHNSW, vectors: F32) -> None:
    """Add vectors by one thread: the graph depends on the order of insertion, and threads would race."""
    n_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index.add(np.ascontiguousarray(vectors))
    finally:
        faiss.omp_set_num_threads(n_threads)


def find_distinct(vectors: F32) -> tuple[I64, I64]:
    """Of (n, dim) vectors the first of each that differs from all others, and for each row which it is."""
    rounded = np.rint(vectors * RESOLUTION).astype(np.int32)
    _, first, group = np.unique(
        rounded.view(np.dtype((np.void, rounded.itemsize * rounded.shape[1]))).ravel(),
        return_index=True,
        return_inverse=True,
    )
    return first, group


def is_one(kept: F32, vector: F32) -> bool:
    """Whether two vectors differ by no more than sums in another order, and one kept in 16 bits, do."""
    rounding = np.spacing(np.abs(vector).astype(np.float16)).astype(np.float32)
    return bool((np.abs(kept - vector) < 1 / RESOLUTION + rounding).all())


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
    # By the vectors given: the graph's own word for how near its books are may be of other vectors.
    n_found = [
        (vectors[graph.search(query, k)[1]] @ query >= worst - TIE).sum()
        for query, worst in zip(queries, exact, strict=True)
    ]
    return float(np.mean(n_found) / k)
