"""A graph that books come to and go from finds the nearest as one that was built at once."""

import numpy as np
import pytest

from foundation.arrays import F32, I64
from pipeline.models.vector_index import build_graph, measure_ann_recall
from pipeline.refreshing.graph import renew_graph
from pipeline.settings import IndexParams
from servers.graph import VectorGraph

PARAMS = IndexParams(hnsw_links=8)
N, DIM = 400, 8
NOTHING = np.empty(0, dtype=np.int64)
STAY = np.arange(N)


def draw(n: int, seed: int = 0) -> F32:
    vectors = np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def found(graph: VectorGraph, vector: F32, k: int) -> I64:
    return graph.search(vector, k)[1]


@pytest.fixture
def vectors() -> F32:
    return draw(N)


@pytest.fixture
def graph(vectors: F32) -> VectorGraph:
    return build_graph(vectors, PARAMS)


def test_added_and_changed_vectors_are_found_in_their_rows_and_the_former_are_not(
    graph: VectorGraph, vectors: F32
) -> None:
    changed, others = np.array([3, N, N + 1]), draw(3, seed=1)

    renewed = renew_graph(graph, STAY, changed, others, PARAMS)

    assert [found(renewed, each, 1).tolist() for each in others] == [[3], [N], [N + 1]]
    assert 3 not in found(renewed, vectors[3], 10)
    now = np.vstack([vectors, others[1:]])
    now[3] = others[0]
    assert measure_ann_recall(renewed, now, 10, np.random.default_rng(0)) > 0.97


def test_rows_move_as_books_come_between(graph: VectorGraph, vectors: F32) -> None:
    new_rows = np.where(STAY < 100, STAY, STAY + 1)

    renewed = renew_graph(graph, new_rows, np.array([100]), draw(1, seed=1), PARAMS)

    assert found(renewed, vectors[99], 1).tolist() == [99]
    assert found(renewed, vectors[100], 1).tolist() == [101]
    assert found(renewed, draw(1, seed=1)[0], 1).tolist() == [100]


def test_what_has_gone_is_not_found_and_shortens_no_answer(graph: VectorGraph, vectors: F32) -> None:
    nearest = found(graph, vectors[0], 10)
    new_rows = STAY.copy()
    new_rows[nearest] = -1

    renewed = renew_graph(graph, new_rows, NOTHING, vectors[:0], PARAMS)

    after = found(renewed, vectors[0], 10)
    assert after.size == 10
    assert set(after).isdisjoint(nearest)


def test_a_vector_that_is_there_already_is_shared(graph: VectorGraph, vectors: F32) -> None:
    renewed = renew_graph(graph, STAY, np.array([N, N + 1]), vectors[[7, 7]], PARAMS)

    assert renewed.index is graph.index
    assert found(renewed, vectors[7], 3).tolist() == [7, N, N + 1]


def test_a_few_new_vectors_leave_the_links_as_they_are(graph: VectorGraph, vectors: F32) -> None:
    first, second = draw(2, seed=1)

    once = renew_graph(graph, STAY, np.array([N]), first[None], PARAMS)
    twice = renew_graph(once, np.arange(N + 1), np.array([3, N + 1]), np.stack([first, second]), PARAMS)

    assert twice.index is graph.index
    assert found(twice, first, 2).tolist() == [3, N]
    assert found(twice, second, 1).tolist() == [N + 1]
    assert measure_ann_recall(graph, vectors, 10, np.random.default_rng(0)) == pytest.approx(
        measure_ann_recall(once, np.vstack([vectors, first[None]]), 10, np.random.default_rng(0)), abs=0.02
    )


def test_many_new_vectors_are_linked(
    graph: VectorGraph, vectors: F32, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.refreshing.graph.MOST_UNLINKED", 2)
    others = draw(3, seed=1)
    once = renew_graph(graph, STAY, np.array([N]), others[:1], PARAMS)

    twice = renew_graph(once, np.arange(N + 1), np.array([N + 1, N + 2]), others[1:], PARAMS)

    assert twice.unlinked is None
    assert twice.index.ntotal == N + 3
    assert [found(twice, each, 1).tolist() for each in others] == [[N], [N + 1], [N + 2]]


def test_a_graph_of_nothing_takes_vectors_in(vectors: F32) -> None:
    nothing = build_graph(vectors[:0], PARAMS)

    renewed = renew_graph(nothing, NOTHING, np.array([0, 1]), vectors[:2], PARAMS)

    assert found(renewed, vectors[1], 2).tolist() == [1, 0]


def test_a_graph_of_which_too_much_has_gone_is_built_anew(graph: VectorGraph, vectors: F32) -> None:
    gone = np.arange(0, N, 10)
    new_rows = STAY.copy()
    new_rows[gone] = -1

    late = renew_graph(graph, STAY, np.array([N]), draw(1, seed=1), PARAMS)
    renewed = renew_graph(late, np.append(new_rows, N), NOTHING, vectors[:0], PARAMS)

    assert renewed.index.ntotal == N - gone.size + 1
    assert found(renewed, vectors[11], 1).tolist() == [11]
    assert found(renewed, draw(1, seed=1)[0], 1).tolist() == [N]


def test_a_vector_of_zeros_is_left_out(graph: VectorGraph, vectors: F32) -> None:
    renewed = renew_graph(graph, STAY, np.array([5]), np.zeros((1, DIM), dtype=np.float32), PARAMS)

    assert 5 not in found(renewed, vectors[5], N)
