import faiss
import numpy as np

from servers.graph import search_graph

VECTORS = np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def test_a_deep_search_misses_almost_nothing() -> None:
    graph = faiss.IndexHNSWFlat(16, 16, faiss.METRIC_INNER_PRODUCT)
    graph.add(VECTORS)

    scores, rows = search_graph(graph, VECTORS[0], k=1000)

    exact = VECTORS @ VECTORS[0]
    np.testing.assert_allclose(scores, exact[rows], atol=1e-6)
    assert np.isin(np.argsort(-exact)[:1000], rows).mean() > 0.98
