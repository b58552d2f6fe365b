"""What others would serve: the systems that every version is compared with."""

import numpy as np

from evidence.als import AlsParams, train_factors
from foundation.arrays import I64, find_rows, top_k
from pipeline.evaluation.lists import serve_popular
from pipeline.evaluation.users import EvaluationUsers
from pipeline.models.bayesian_mean import build_bayesian_mean
from pipeline.records import Aggregates, Fold

CLASSIC_ALS = AlsParams(n_factors=32, alpha=40.0, regularization=0.1, n_iterations=15)
CLASSIC_MIN_RATINGS = 10
"""Readers with fewer are served by the prior alone."""
CLASSIC_PRIOR_RATINGS = 30.0


def serve_classic_als(fold: Fold, users: EvaluationUsers, k: int, *, seed: int, threads: int) -> list[I64]:
    """`implicit` ALS, factors 32, alpha 40, λ 0.1, 15 iterations, for every reader; no author limit."""
    user_factors, item_factors = train_factors(
        fold.user_items, params=CLASSIC_ALS, seed=seed, threads=threads, advance=lambda share: None
    )
    served = []
    for user_id, history in zip(users.user_ids, users.histories, strict=True):
        scores = item_factors @ user_factors[np.searchsorted(fold.user_ids, user_id)]
        scores[find_rows(fold.book_ids, history)[1]] = -np.inf
        scores[~fold.is_shown] = -np.inf
        served.append(fold.book_ids[top_k(scores, k)])
    return served


def serve_classic_system(
    fold: Fold, aggregates: Aggregates, classic_als: list[I64], users: EvaluationUsers, k: int
) -> list[I64]:
    """Classic ALS for readers with 10 ratings or more, a Bayesian prior (m = 30) for all others."""
    sums = np.nan_to_num(aggregates.mean) * aggregates.n_explicit
    prior = build_bayesian_mean(sums, aggregates.n_explicit, prior_ratings=CLASSIC_PRIOR_RATINGS)
    by_prior = serve_popular(fold.book_ids, np.where(fold.is_shown, prior, -np.inf), users, k)
    return [
        als if history.size >= CLASSIC_MIN_RATINGS else best
        for als, best, history in zip(classic_als, by_prior, users.histories, strict=True)
    ]
