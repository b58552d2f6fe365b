"""Grows the trees of a ranker by LightGBM, and writes them as the arrays that are served.

The same data, parameters and seed give the same bytes, however many threads there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import lightgbm
import numpy as np

from foundation.arrays import F32, I64, Mask
from servers.als.trees import MAX_LEAVES, Trees

PARAMS: Final[Mapping[str, object]] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 30,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "lambda_l2": 20.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 127,
    "use_missing": False,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
"""Column by column no sum depends on the number of threads."""


class Examples(NamedTuple):
    """Candidates of readers, one reader's after the other's."""

    features: F32
    """(n_rows, n_features)."""
    is_hit: Mask
    """(n_rows,): whether the reader held the book out."""
    user_idx: I64
    """(n_rows,): ascending."""


class _Split(NamedTuple):
    """One split of one tree."""

    feature: int
    threshold: float
    tree: int
    left: int
    """The set of leaves on its left."""


def grow_trees(
    examples: Examples, *, base: F32, directions: Sequence[int], n_trees: int, seed: int, threads: int
) -> Trees:
    """Trees that, added to a base, (n_rows,), rank hits before others of a reader: Burges 2010, lambdarank.

    directions are those of the features that `list_directions` has.
    """
    n_each = np.unique(examples.user_idx, return_counts=True)[1]
    data = lightgbm.Dataset(
        examples.features, examples.is_hit.astype(np.int8), group=n_each, init_score=base.astype(np.float64)
    )
    params = {**PARAMS, "monotone_constraints": list(directions), "seed": seed, "num_threads": threads}
    booster = lightgbm.train(params, data, num_boost_round=n_trees)
    return export_trees(booster.dump_model(), n_features=examples.features.shape[1])


def export_trees(dumped: Mapping[str, Any], *, n_features: int) -> Trees:
    """The trees of a LightGBM model, given as its `dump_model` has them."""
    leaf_values = np.zeros((len(dumped["tree_info"]), MAX_LEAVES), dtype=np.float32)
    splits: list[_Split] = []
    for tree, info in enumerate(dumped["tree_info"]):
        values: list[float] = []
        splits += _list_splits(info["tree_structure"], tree, values)
        leaf_values[tree, : len(values)] = values
    thresholds = [sorted({each.threshold for each in splits if each.feature == i}) for i in range(n_features)]
    starts = np.concatenate([[0], np.cumsum([len(each) for each in thresholds])]).astype(np.int64)
    reachable = np.full((starts[-1] + n_features, len(leaf_values)), 2**MAX_LEAVES - 1, dtype=np.uint16)
    for feature, threshold, tree, left in splits:
        first = starts[feature] + feature
        place = first + thresholds[feature].index(threshold)
        reachable[place + 1 : first + len(thresholds[feature]) + 1, tree] &= np.uint16(
            2**MAX_LEAVES - 1 - left
        )
    return Trees(np.array([each for some in thresholds for each in some]), starts, reachable, leaf_values)


def _list_splits(node: Mapping[str, Any], tree: int, values: list[float]) -> Iterator[_Split]:
    """All splits below a node, itself included; appends the values of its leaves, from left to right."""
    if "leaf_value" in node:
        values.append(node["leaf_value"])
        return
    first = len(values)
    yield from _list_splits(node["left_child"], tree, values)
    left = 2 ** len(values) - 2**first
    yield from _list_splits(node["right_child"], tree, values)
    yield _Split(node["split_feature"], node["threshold"], tree, left)
