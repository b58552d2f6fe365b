import math

import numpy as np

from pipeline.evaluation.intervals import Interval, bootstrap_mean, bootstrap_ratio, draw_means


def test_the_interval_of_a_mean_is_that_of_the_central_limit_theorem() -> None:
    values = np.random.default_rng(0).normal(0.2, 0.3, 2500)

    interval = bootstrap_mean(values, np.random.default_rng(1))

    assert interval.mean == values.mean()
    half_width = 1.96 * values.std() / 50
    assert math.isclose(interval.high - interval.low, 2 * half_width, rel_tol=0.08)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random(50)

    assert bootstrap_mean(values, np.random.default_rng(3)) == bootstrap_mean(
        values, np.random.default_rng(3)
    )


def test_the_interval_of_one_reader_is_a_point() -> None:
    assert bootstrap_mean(np.array([0.25]), np.random.default_rng(3)) == Interval(0.25, 0.25, 0.25)


def test_a_pair_of_systems_is_told_apart_where_each_alone_is_not() -> None:
    """Readers differ far more than systems: one that is better by .02 for nearly all of them."""
    rng = np.random.default_rng(0)
    baseline = rng.uniform(0.1, 0.9, 900)
    better = baseline + rng.normal(0.02, 0.05, 900)

    difference = bootstrap_mean(better - baseline, np.random.default_rng(1))
    alone = [bootstrap_mean(each, np.random.default_rng(1)) for each in (baseline, better)]

    assert difference.low > 0
    assert difference.low < 0.02 < difference.high
    assert alone[0].high > alone[1].low


def test_a_ratio_is_paired_too() -> None:
    baseline = np.random.default_rng(0).uniform(0.1, 0.9, 300)

    ratio = bootstrap_ratio(1.2 * baseline, baseline, np.random.default_rng(1))

    assert ratio is not None
    np.testing.assert_allclose([ratio.mean, ratio.low, ratio.high], 1.2)


def test_there_is_no_ratio_to_what_may_be_nothing() -> None:
    baseline = np.array([0.0, 0.0, 0.0, 0.5])

    assert bootstrap_ratio(baseline + 0.1, baseline, np.random.default_rng(1)) is None


def test_intervals_cover_the_difference_that_is_there() -> None:
    """In about 190 of 200 samples of a population whose mean difference is known."""
    rng = np.random.default_rng(7)
    samples = rng.normal(0.01, 0.1, (200, 250))

    found = [bootstrap_mean(sample, rng, n_draws=400) for sample in samples]

    assert 182 <= sum(each.low < 0.01 < each.high for each in found) <= 198


def test_all_columns_are_drawn_from_the_same_readers() -> None:
    values = np.random.default_rng(0).random((40, 2))

    both = draw_means(values, np.random.default_rng(5), n_draws=100)
    second = draw_means(values[:, 1:], np.random.default_rng(5), n_draws=100)

    np.testing.assert_allclose(both[:, 1:], second)
