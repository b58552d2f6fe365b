"""What is served of boosted trees sums to what the library that grew them predicts."""

from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.arrays import F32
from pipeline.ranking.boosted_trees import PARAMS, Examples, export_trees, grow_trees
from servers.als.trees import MAX_LEAVES, Trees

N_FEATURES = 4
VALUES = (-1.0, 0.0, 0.5, 2.0)
SEEDS = st.integers(0, 10_000)


def draw_node(rng: np.random.Generator, n_leaves: int) -> dict[str, Any]:
    """A tree of so many leaves, as LightGBM writes its own."""
    if n_leaves == 1:
        return {"leaf_value": float(rng.normal())}
    n_left = int(rng.integers(1, n_leaves))
    return {
        "split_feature": int(rng.integers(N_FEATURES - 1)),  # the last one is never looked at
        "threshold": float(rng.choice(VALUES)),
        "left_child": draw_node(rng, n_left),
        "right_child": draw_node(rng, n_leaves - n_left),
    }


def descend(node: dict[str, Any], row: F32) -> float:
    while "leaf_value" not in node:
        is_left = row[node["split_feature"]] <= node["threshold"]
        node = node["left_child" if is_left else "right_child"]
    return float(node["leaf_value"])


def draw_examples(n_users: int = 300, n_each: int = 20) -> Examples:
    """Readers who hold out what the first feature is large of; the second says the same, less loudly."""
    rng = np.random.default_rng(2)
    features = rng.normal(size=(n_users * n_each, N_FEATURES)).astype(np.float32)
    is_hit = features[:, 0] + 0.5 * features[:, 1] + rng.normal(size=len(features)) > 2
    return Examples(features, is_hit, np.repeat(np.arange(n_users), n_each))


def grow(directions: tuple[int, ...] = (0, 0, 0, 0), threads: int = 1) -> Trees:
    examples = draw_examples()
    base = np.zeros(len(examples.features), dtype=np.float32)
    return grow_trees(examples, base=base, directions=directions, n_trees=20, seed=5, threads=threads)


@given(n_leaves=st.lists(st.integers(1, MAX_LEAVES), min_size=1, max_size=5), seed=SEEDS)
def test_the_sum_is_that_of_the_leaves_that_a_row_comes_to_in_each_tree(
    n_leaves: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    roots = [draw_node(rng, n) for n in n_leaves]
    rows = rng.choice([*VALUES, 0.1, 9.0], (30, N_FEATURES)).astype(np.float32)

    trees = export_trees({"tree_info": [{"tree_structure": root} for root in roots]}, n_features=N_FEATURES)

    expected = [sum(descend(root, row) for root in roots) for row in rows]
    np.testing.assert_allclose(trees.score(rows), expected, rtol=1e-5, atol=1e-5)


def test_the_sum_is_what_lightgbm_predicts() -> None:
    examples = draw_examples()
    group = np.bincount(examples.user_idx)
    booster = lightgbm.train(
        dict(PARAMS), lightgbm.Dataset(examples.features, examples.is_hit, group=group), num_boost_round=30
    )

    trees = export_trees(booster.dump_model(), n_features=N_FEATURES)

    np.testing.assert_allclose(
        trees.score(examples.features), booster.predict(examples.features), rtol=1e-4, atol=1e-5
    )


def test_trees_rank_hits_first() -> None:
    examples = draw_examples()

    scores = grow().score(examples.features)

    assert scores[examples.is_hit].mean() > scores[~examples.is_hit].mean() + 0.5


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_examples_grow_the_same_trees_however_many_threads_there_are(threads: int) -> None:
    first, second = grow(threads=1), grow(threads=threads)

    for name in ("thresholds", "starts", "reachable", "leaf_values"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


def test_more_of_a_feature_with_a_direction_never_ranks_a_row_lower() -> None:
    trees = grow(directions=(1, 0, -1, 0))
    rows = draw_examples().features

    more_of_first, less_of_third = rows.copy(), rows.copy()
    more_of_first[:, 0] += 0.7
    less_of_third[:, 2] -= 0.7

    assert (trees.score(more_of_first) >= trees.score(rows) - 1e-6).all()
    assert (trees.score(less_of_third) >= trees.score(rows) - 1e-6).all()
