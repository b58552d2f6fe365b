"""Means of ratings that few ratings cannot carry far."""

import numpy as np

from foundation.arrays import F64, I64


def build_bayesian_mean(sums: F64, n_ratings: I64, *, prior_ratings: float) -> F64:
    """(n,): (m · mean of all + sum) / (m + n_ratings), m = prior_ratings, of the ratings of each book."""
    mean_of_all = sums.sum() / max(n_ratings.sum(), 1)
    return np.asarray((prior_ratings * mean_of_all + sums) / (prior_ratings + n_ratings))
