import numpy as np
import pytest

from pipeline.comparing.figures import Table, measure_lists, pool, summarise

WORTH = np.array([0.1, 0.4, 0.2, 0.5, 0.8, 0.3] * 20)


def table(**values: np.ndarray) -> Table:
    return Table(np.arange(len(WORTH)), {model: {"recall": each} for model, each in values.items()})


def test_what_each_list_is_worth() -> None:
    """Of three held out, places 1 and 4 hit; of one held out, none."""
    lists = [np.array([7, 1, 2, 8, 3]), np.array([1, 2])]
    held_out = [np.array([7, 8, 9]), np.array([5])]

    worth = measure_lists(lists, held_out, 5)

    assert worth["recall@5"].tolist() == [pytest.approx(2 / 3), 0]
    assert worth["plain recall@5"].tolist() == [pytest.approx(2 / 3), 0]
    assert worth["MAP@5"].tolist() == [pytest.approx((1 / 1 + 2 / 4) / 3), 0]
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert worth["NDCG@5"].tolist() == [pytest.approx((1 + 1 / np.log2(5)) / ideal), 0]
    assert worth["precision@10"].tolist() == [0.2, 0]
    assert worth["hit rate@10"].tolist() == [1, 0]


def test_models_are_told_apart_by_readers_who_have_both() -> None:
    found = summarise(table(base=WORTH, better=WORTH * 1.1), baseline="base", seed=0)

    better = found["better"]
    assert better.means["recall"].mean == pytest.approx(WORTH.mean() * 1.1)
    assert better.gains["recall"].low > 0
    ratio = better.ratios["recall"]
    np.testing.assert_allclose([ratio.mean, ratio.low, ratio.high], 1.1)


def test_readers_who_tell_nothing_are_left_out_of_a_mean() -> None:
    unknown = WORTH.copy()
    unknown[::2] = np.nan

    found = summarise(table(base=WORTH, some=unknown), baseline="base", seed=0)

    some = found["some"].means["recall"]
    assert some.mean == pytest.approx(WORTH[1::2].mean())
    assert some.low < some.mean < some.high


def test_there_is_no_ratio_to_a_baseline_that_may_have_nothing() -> None:
    nothing = np.zeros_like(WORTH)
    nothing[0] = 1

    found = summarise(table(base=nothing, other=WORTH), baseline="base", seed=0)

    assert found["other"].ratios == {}


def test_a_reader_of_several_seeds_counts_once() -> None:
    first = Table(np.array([1, 2]), {"model": {"recall": np.array([0.2, 0.4])}})
    second = Table(np.array([2, 3]), {"model": {"recall": np.array([0.8, np.nan])}})

    pooled = pool([first, second])

    assert pooled.user_ids.tolist() == [1, 2, 3]
    np.testing.assert_allclose(pooled.values["model"]["recall"], [0.2, 0.6, np.nan])
