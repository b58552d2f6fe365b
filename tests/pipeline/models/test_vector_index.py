import faiss
import numpy as np
from numpy.typing import NDArray

from pipeline.models.vector_index import build_flat, build_graph, measure_ann_recall, weigh_directions
from pipeline.settings import IndexParams
from servers.graph import VectorGraph, view_vectors

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(400, 16)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def graph_of(vectors: NDArray[np.float32]) -> VectorGraph:
    return build_graph(vectors, IndexParams(hnsw_links=16, ef_construction=100, ef_search=64))


def test_exact_search_ranks_by_inner_product_with_what_is_kept_in_16_bits() -> None:
    index = build_flat(VECTORS)
    scores, rows = index.search(VECTORS[:1], 3)

    assert view_vectors(index).dtype == np.float16
    np.testing.assert_allclose(view_vectors(index), VECTORS, atol=3e-4)
    expected = view_vectors(index).astype(np.float32) @ VECTORS[0]
    np.testing.assert_allclose(scores[0], np.sort(expected)[::-1][:3], atol=1e-6)
    assert rows[0, 0] == 0


def test_a_graph_over_few_vectors_misses_almost_nothing() -> None:
    assert measure_ann_recall(graph_of(VECTORS), VECTORS, 10, RNG) > 0.98


def test_a_graph_takes_half_the_memory_of_its_vectors() -> None:
    graph = graph_of(np.tile(VECTORS, (1, 16)))

    n_bytes = faiss.serialize_index(graph.index).size - faiss.serialize_index(graph_of(VECTORS).index).size
    assert n_bytes == VECTORS.size * 15 * 2


def test_a_graph_of_other_vectors_has_a_low_recall() -> None:
    others = VECTORS * np.linspace(0.1, 1, 400, dtype=np.float32)[:, None]

    assert measure_ann_recall(graph_of(others), VECTORS, 10, RNG) < 0.5


def test_equal_vectors_may_stand_for_each_other() -> None:
    doubled = np.repeat(VECTORS[:20], 20, axis=0)

    assert measure_ann_recall(graph_of(doubled), doubled, 10, RNG) == 1.0


def test_no_vector_at_all_leaves_nothing_to_miss() -> None:
    empty = np.zeros((5, 16), dtype=np.float32)

    assert measure_ann_recall(graph_of(empty), empty, 10, RNG) == 1.0


def test_a_book_of_one_reader_is_less_similar_than_one_of_many_that_points_elsewhere() -> None:
    item_factors = np.array([[3, 0], [0.1, 0], [2, 1], [0, 0]], dtype=np.float32)

    popular, rare, other, unread = weigh_directions(item_factors, np.array([500, 1, 200, 0]))

    assert popular @ other > 4 * (popular @ rare) > 0
    np.testing.assert_allclose(np.linalg.norm([popular, rare, other], axis=1), [500 / 510, 1 / 11, 200 / 210])
    assert not unread.any()
