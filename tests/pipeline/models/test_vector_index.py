import faiss
import numpy as np

from pipeline.models.vector_index import build_flat, build_hnsw, measure_ann_recall
from pipeline.settings import IndexParams

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(400, 16)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def test_exact_search_has_a_recall_of_one() -> None:
    assert measure_ann_recall(build_flat(VECTORS), VECTORS, 10, RNG) == 1.0


def test_a_graph_over_few_vectors_misses_almost_nothing() -> None:
    assert measure_ann_recall(build_hnsw(VECTORS, params=IndexParams()), VECTORS, 10, RNG) > 0.98


def test_an_index_of_other_vectors_has_a_low_recall() -> None:
    index = build_flat(VECTORS[RNG.permutation(400)] * np.linspace(0.1, 1, 400, dtype=np.float32)[:, None])

    assert measure_ann_recall(index, VECTORS, 10, RNG) < 0.5


def test_equal_vectors_may_stand_for_each_other() -> None:
    doubled = np.repeat(VECTORS[:20], 20, axis=0)

    assert measure_ann_recall(build_hnsw(doubled, params=IndexParams()), doubled, 10, RNG) == 1.0


def test_the_same_vectors_give_the_same_graph() -> None:
    first, second = (faiss.serialize_index(build_hnsw(VECTORS, params=IndexParams())) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_no_vector_at_all_leaves_nothing_to_miss() -> None:
    empty = np.zeros((5, 16), dtype=np.float32)

    assert measure_ann_recall(build_flat(empty), empty, 10, RNG) == 1.0
