"""What several steps, models and the evaluation read: catalog, clean ratings, folds, aggregates."""

from dataclasses import dataclass

import pyarrow as pa
from scipy.sparse import csr_array

from foundation.arrays import F32, F64, I64
from pipeline.interactions import Fold, Interactions


@dataclass(frozen=True, eq=False)
class Export:
    """The tables that training reads; columns as in `catalog.snapshot.SCHEMAS`, rows by primary key."""

    books: pa.Table
    editions: pa.Table
    authors: pa.Table
    book_authors: pa.Table
    subjects: pa.Table
    book_subjects: pa.Table
    ratings: pa.Table
    fingerprint: str
    """Hex sha256 over all rows of all tables: equal catalogs have equal fingerprints."""


@dataclass(frozen=True, eq=False)
class Clean:
    """Validated interactions, and the report of how they came about."""

    interactions: Interactions
    report: dict[str, int]
    """`read`, `kept` and one count for each reason to drop; read = kept + the rest."""


@dataclass(frozen=True, eq=False)
class Split:
    """The folds. What is held out of `train` is never in `inner` either."""

    split_id: str
    """Names the rule: under one id a pair keeps its place, whatever else the catalog holds."""
    train: Fold
    held_out: Interactions
    inner: Fold
    """Train without `inner_held_out`: what the ranker is tuned on."""
    inner_held_out: Interactions


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
