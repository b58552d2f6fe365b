import numpy as np

from pipeline.models.vector_index import build_graph
from pipeline.settings import IndexParams

PARAMS = IndexParams(hnsw_links=16, ef_construction=100, ef_search=64)
VECTORS = np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def test_a_deep_search_misses_almost_nothing() -> None:
    graph = build_graph(VECTORS, PARAMS)

    scores, rows = graph.search(VECTORS[0], k=1000)

    exact = VECTORS @ VECTORS[0]
    np.testing.assert_allclose(scores, exact[rows], atol=1e-3)  # kept in 16 bits
    assert np.isin(np.argsort(-exact)[:1000], rows).mean() > 0.98


def test_rows_that_share_a_vector_are_all_found_in_the_order_of_their_rows() -> None:
    shared = VECTORS[np.arange(6000) % 3]
    graph = build_graph(shared, PARAMS)

    scores, rows = graph.search(VECTORS[1], k=2500)

    assert graph.index.ntotal == 3
    assert rows[:2000].tolist() == list(range(1, 6000, 3))
    np.testing.assert_allclose(scores[:2000], 1.0, atol=1e-3)
    assert rows.size == 2500
    assert (np.diff(scores) <= 0).all()


def test_sums_in_another_order_are_one_vector() -> None:
    nearly = np.vstack([VECTORS[:10], VECTORS[:10] * np.float32(1 + 1e-7)])

    assert build_graph(nearly, PARAMS).index.ntotal <= 11


def test_a_zero_vector_is_near_nothing() -> None:
    vectors = np.vstack([np.zeros((5, 16), dtype=np.float32), VECTORS[:3]])

    _, rows = build_graph(vectors, PARAMS).search(VECTORS[0], k=8)

    assert sorted(rows.tolist()) == [5, 6, 7]


def test_a_graph_of_nothing_finds_nothing() -> None:
    _, rows = build_graph(np.zeros((4, 16), dtype=np.float32), PARAMS).search(VECTORS[0], k=3)

    assert rows.size == 0


def test_the_same_vectors_make_the_same_graph() -> None:
    first, second = (build_graph(VECTORS, PARAMS) for _ in range(2))

    np.testing.assert_array_equal(first.rows, second.rows)
    assert first.index.hnsw.max_level == second.index.hnsw.max_level
