"""What is foretold of ratings, and what ratings do to lists."""

import numpy as np

from foundation.arrays import F64, find_rows
from foundation.serving_rules import ServingRules
from pipeline.comparing.bench import Bench
from pipeline.comparing.comparison import RatingFigures
from pipeline.evaluation.intervals import Interval, bootstrap_mean, draw_means
from pipeline.evaluation.lists import rank_all
from pipeline.evaluation.metrics import DISLIKED, LOVED, auc_of_loved
from pipeline.evaluation.users import EvaluationUsers

SERVED, UNRATED = "served", "served, ratings not counted"


def measure_ratings(bench: Bench, *, seed: int) -> RatingFigures | None:
    """None where nobody held out a rating."""
    ratings = np.concatenate(bench.users.held_out_ratings)
    if np.isnan(ratings).all():
        return None
    users = _with_pairs(bench)
    unrated = bench.rules.model_copy(update={"rating_strength": 0.0})
    rules = {SERVED: bench.rules, UNRATED: unrated} if users.size else {}
    auc = {name: _auc_of_each(bench, users, each) for name, each in rules.items()}
    return RatingFigures(
        n_ratings=int((~np.isnan(ratings)).sum()),
        rmse=_measure_errors(bench, seed),
        n_users_with_pairs=users.size,
        auc={name: _bound(values, seed) for name, values in auc.items()},
        auc_gain=_bound(auc[SERVED] - auc[UNRATED], seed) if auc else None,
    )


def _measure_errors(bench: Bench, seed: int) -> dict[str, Interval]:
    """Root mean squared errors of what foretells ratings, over all ratings held out."""
    rated = bench.fold.ratings.data
    overall = float(np.nanmean(rated))
    foretold = {
        "the mean of all": np.full(bench.fold.book_ids.size, overall),
        "the book's Bayesian mean, as cards show it": bench.aggregates.bayesian_mean,
    }
    return {name: _measure_error(bench.users, bench, each, overall, seed) for name, each in foretold.items()}


def _measure_error(users: EvaluationUsers, bench: Bench, of_book: F64, default: float, seed: int) -> Interval:
    sums = np.zeros((users.size, 2))
    for at, (books, ratings) in enumerate(zip(users.held_out, users.held_out_ratings, strict=True)):
        foretold = np.full(books.size, default)
        is_known, rows = find_rows(bench.fold.book_ids, books)
        foretold[is_known] = np.where(np.isnan(of_book[rows]), default, of_book[rows])
        errors = (foretold - ratings)[~np.isnan(ratings)]
        sums[at] = (errors**2).sum(), errors.size
    sums = sums[sums[:, 1] > 0]
    drawn = draw_means(sums, np.random.default_rng(seed))
    mean = np.sqrt(sums[:, 0].sum() / sums[:, 1].sum())
    return Interval.of(mean, np.sqrt(drawn[:, 0] / drawn[:, 1]))


def _with_pairs(bench: Bench) -> EvaluationUsers:
    """Of all readers, not only those who are measured: few held out a loved and a disliked book."""
    users = bench.trial.choose_users(bench.trial.histories.user_ids.size)
    return users.take(
        np.array(
            [
                bool((ratings >= LOVED).any() and (ratings <= DISLIKED).any())
                and bool(find_rows(bench.fold.book_ids, history)[0].any())
                for history, ratings in zip(users.histories, users.held_out_ratings, strict=True)
            ]
        )
    )


def _auc_of_each(bench: Bench, users: EvaluationUsers, rules: ServingRules) -> F64:
    """(n,): of the readers with a pair of books that the model knows."""
    ranked = rank_all(bench.als, users, rules)
    found = map(auc_of_loved, ranked, users.held_out, users.held_out_ratings)
    return np.array([auc for auc in found if auc is not None])


def _bound(values: F64, seed: int) -> Interval:
    return bootstrap_mean(values, np.random.default_rng(seed))
