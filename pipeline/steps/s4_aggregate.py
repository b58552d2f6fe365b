"""Step 4: counts, means and co-reading of a fold's books."""

import numpy as np

from evidence.popularity import measure_popularity
from foundation.sparse import strongest_in_rows
from pipeline.models.bayesian_mean import build_bayesian_mean
from pipeline.records import Aggregates, Fold
from pipeline.settings import AggregateParams


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
    drawn = build_bayesian_mean(sums, n_explicit, prior_ratings=params.prior_ratings)
    return Aggregates(
        counts=counts,
        n_explicit=n_explicit,
        mean=mean,
        bayesian_mean=np.where(n_explicit > 0, drawn, np.nan),
        popularity=measure_popularity(counts),
        co_reading=strongest_in_rows(fold.user_items.T.tocsr(), fold.user_items, params.n_co_read),
    )
