"""Measures the figures of books that a ranker compares, on one fold and by the catalog."""

from typing import Final

import numpy as np

from evidence.figures import Figures
from foundation.arrays import F64, I64, find_rows
from pipeline.models.bayesian_mean import build_bayesian_mean
from pipeline.records import Aggregates, Export, Fold

YEAR: Final = "year"
PRIOR_RATINGS: Final = 10
"""Average ratings that each book is given beforehand."""
PRIOR_READERS: Final = 5
"""Average readers, likewise."""


def measure_figures(fold: Fold, aggregates: Aggregates, catalog: Export) -> Figures:
    """Of each book of the fold how many read it, as a logarithm, how they rate it, what share of them does,
    how many books they read, as a mean logarithm, and its year."""
    counts, n_explicit = aggregates.counts, aggregates.n_explicit
    ratings = np.nan_to_num(aggregates.mean) * n_explicit
    n_read = fold.user_items.T @ np.log1p(np.diff(fold.user_items.indptr))
    years = collect_years(catalog, fold.book_ids)
    figures = {
        "readers": np.log1p(counts),
        "rating": build_bayesian_mean(ratings, n_explicit, prior_ratings=PRIOR_RATINGS),
        "is_rated": build_bayesian_mean(n_explicit.astype(np.float64), counts, prior_ratings=PRIOR_READERS),
        "activity": build_bayesian_mean(n_read, counts, prior_ratings=PRIOR_READERS),
        YEAR: np.where(np.isnan(years), _middle(years), years),
    }
    return Figures(list(figures), np.stack(list(figures.values()), axis=1).astype(np.float32))


def collect_years(catalog: Export, book_ids: I64) -> F64:
    """(n_books,): NaN where the catalog has none."""
    years = np.full(book_ids.size, np.nan)
    is_ours, rows = find_rows(book_ids, catalog.books["book_id"].to_numpy())
    years[rows] = catalog.books["year"].cast("float64").to_numpy()[is_ours]
    return years


def _middle(years: F64) -> float:
    """0 where no year is known."""
    known = years[~np.isnan(years)]
    return float(np.median(known)) if known.size else 0.0
