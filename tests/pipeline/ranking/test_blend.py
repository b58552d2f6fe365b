from collections.abc import Mapping

import numpy as np
import pytest

from pipeline.ranking.blend import Objective, ascend_coordinates, find_typical


def peak(**best: float) -> Objective:
    def objective(weights: Mapping[str, float]) -> float:
        return -sum((weights[kind] - value) ** 2 for kind, value in best.items())

    return objective


def test_changing_one_weight_at_a_time_finds_a_better_blend_near_a_single_peak() -> None:
    objective = peak(neighbours=1.0, als=2.0, authors=0.5)

    weights, value = ascend_coordinates(
        objective, {"neighbours": 1.0, "als": 0.5, "authors": 1.0}, min_gain=2e-4
    )

    assert weights["neighbours"] == 1.0
    assert weights["als"] == pytest.approx(2.0, rel=0.05)
    assert weights["authors"] == pytest.approx(0.5)
    assert value == pytest.approx(0, abs=0.01)


def test_a_weight_of_zero_can_come_back_and_a_useless_one_can_go() -> None:
    objective = peak(neighbours=1.0, als=0.0, authors=0.2)

    weights, _ = ascend_coordinates(objective, {"neighbours": 1.0, "als": 1.0, "authors": 0.0}, min_gain=2e-4)

    assert weights == {"neighbours": 1.0, "als": 0.0, "authors": 0.2}


def test_where_nothing_gains_the_start_is_kept() -> None:
    start = {"neighbours": 1.0, "als": 0.8, "authors": 1.1}

    weights, value = ascend_coordinates(lambda weights: 0.25, start, min_gain=2e-4)

    assert (weights, value) == (start, 0.25)


def test_a_unit_is_the_median_of_the_readers_for_whom_there_is_any() -> None:
    own_units = np.array([[1.0, 0.0, 0.0], [3.0, 0.0, 8.0], [2.0, 0.0, 0.0]], dtype=np.float32)

    assert find_typical(own_units).tolist() == [2.0, 1.0, 8.0]
