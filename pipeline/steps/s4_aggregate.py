"""Step 4: counts, means and co-reading of a fold's books."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import F32, F64, I64
from pipeline.interactions import Fold
from pipeline.models.neighbours import strongest_in_rows
from pipeline.settings import AggregateParams


@dataclass(frozen=True, eq=False)
class Aggregates:
    """One value a book, in the order of the fold's book_ids."""

    counts: I64
    """Readers of the book."""
    n_explicit: I64
    """Readers who rated it."""
    mean: F64
    """Mean rating; NaN without any."""
    deviation: F64
    """Standard deviation of its ratings; NaN without any."""
    bayesian_mean: F64
    """As `build_bayesian_mean` has it; NaN without any rating. For display, not for ranking."""
    popularity: F32
    """log1p(count) / log1p(largest count), in [0, 1]."""
    co_reading: csr_array
    """(n_items, n_items): for each book the books that most of its readers read too, and how many did."""


def aggregate(fold: Fold, *, params: AggregateParams) -> Aggregates:
    """Aggregates of exactly this fold's interactions."""
    n_items = fold.book_ids.size
    item_idx, ratings = fold.ratings.indices, fold.ratings.data.astype(np.float64)
    explicit = ~np.isnan(ratings)
    rated_idx, rated = item_idx[explicit], ratings[explicit]
    counts = np.bincount(item_idx, minlength=n_items)
    n_explicit = np.bincount(rated_idx, minlength=n_items)
    sums = np.bincount(rated_idx, rated, minlength=n_items).astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean = sums / n_explicit
        squares = np.bincount(rated_idx, (rated - mean[rated_idx]) ** 2, minlength=n_items)
        deviation = np.sqrt(squares / n_explicit)
    drawn = build_bayesian_mean(sums, n_explicit, prior_ratings=params.prior_ratings)
    return Aggregates(
        counts=counts,
        n_explicit=n_explicit,
        mean=mean,
        deviation=deviation,
        bayesian_mean=np.where(n_explicit > 0, drawn, np.nan),
        popularity=measure_popularity(counts),
        co_reading=_count_co_readers(fold, params.n_co_read),
    )


def build_bayesian_mean(sums: F64, n_ratings: I64, *, prior_ratings: float) -> F64:
    """(n,): (m · mean of all + sum) / (m + n_ratings), m = prior_ratings, of the ratings of each book."""
    mean_of_all = sums.sum() / max(n_ratings.sum(), 1)
    return np.asarray((prior_ratings * mean_of_all + sums) / (prior_ratings + n_ratings))


def measure_popularity(counts: I64) -> F32:
    """log1p(count) / log1p(largest count), (n,) in [0, 1]."""
    return np.asarray(np.log1p(counts) / np.log1p(max(counts.max(initial=0), 1)), dtype=np.float32)


def _count_co_readers(fold: Fold, n_kept: int) -> csr_array:
    item_users = fold.user_items.T.tocsr()
    return strongest_in_rows(item_users, fold.user_items, n_kept)
