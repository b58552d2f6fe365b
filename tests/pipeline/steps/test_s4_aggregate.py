import numpy as np
import pytest

from pipeline.records import Fold, Interactions, build_fold
from pipeline.settings import AggregateParams
from pipeline.steps.s4_aggregate import aggregate

NAN = np.nan


@pytest.fixture
def fold() -> Fold:
    """Book 1 has three readers (ratings 6, 8, none), book 2 two (10, none), book 3 one (none)."""
    rows = [(1, 1, 6), (1, 2, 10), (2, 1, 8), (2, 2, NAN), (3, 1, NAN), (3, 3, NAN)]
    users, books, ratings = (np.array(column) for column in zip(*rows, strict=True))
    return build_fold(Interactions(users, books, ratings.astype(np.float32)))


def test_counts_and_means_leave_implicit_ratings_out_of_the_means(fold: Fold) -> None:
    found = aggregate(fold, params=AggregateParams())

    assert found.counts.tolist() == [3, 2, 1]
    assert found.n_explicit.tolist() == [2, 1, 0]
    np.testing.assert_allclose(found.mean, [7, 10, NAN])


def test_the_bayesian_mean_draws_few_ratings_to_the_mean_of_all(fold: Fold) -> None:
    found = aggregate(fold, params=AggregateParams(prior_ratings=2))

    np.testing.assert_allclose(found.bayesian_mean, [(2 * 8 + 14) / 4, (2 * 8 + 10) / 3, NAN])


def test_popularity_is_one_for_the_most_read_book(fold: Fold) -> None:
    found = aggregate(fold, params=AggregateParams())

    np.testing.assert_allclose(found.popularity, np.log([4, 3, 2]) / np.log(4), rtol=1e-6)


def test_co_reading_counts_readers_of_both_books_and_keeps_the_most(fold: Fold) -> None:
    everything = aggregate(fold, params=AggregateParams(n_co_read=5)).co_reading.toarray()
    strongest = aggregate(fold, params=AggregateParams(n_co_read=1)).co_reading.toarray()

    assert everything.tolist() == [[0, 2, 1], [2, 0, 0], [1, 0, 0]]
    assert strongest.tolist() == [[0, 2, 0], [2, 0, 0], [1, 0, 0]]
