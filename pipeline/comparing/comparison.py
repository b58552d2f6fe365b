"""What a comparison found: everything that its documents tell, in plain values."""

from dataclasses import dataclass

from pipeline.comparing.figures import ModelFigures
from pipeline.evaluation.intervals import Interval


@dataclass(frozen=True)
class Model:
    """One model on all readers."""

    name: str
    figures: ModelFigures
    coverage: float
    """Share of the books that may be shown that are in somebody's list."""
    reach: list[float]
    """Share of all places of lists that each of `Comparison.heads` takes."""
    recall_by_seed: list[float]


@dataclass(frozen=True)
class Part:
    """A part of what is measured."""

    group: str
    name: str
    n_users: int
    models: dict[str, ModelFigures]


@dataclass(frozen=True)
class CurvePoint:
    """What models are worth that learned from a share of the readers."""

    share: float
    n_users: int
    """Readers learned from."""
    recall: dict[str, Interval]


@dataclass(frozen=True)
class RatingFigures:
    """How well ratings are foretold, and whether lists put what a reader loves before what they do not."""

    n_ratings: int
    rmse: dict[str, Interval]
    n_users_with_pairs: int
    """Readers who held out a book rated 8 or more and one of 5 or less."""
    auc: dict[str, Interval]
    """Share of such pairs in the right order."""
    auc_gain: Interval | None
    """By ratings counting; None where nobody has such a pair."""


@dataclass(frozen=True)
class Comparison:
    """One protocol on one catalog."""

    protocol: str
    source: str | None
    """None for all readers."""
    release: str
    split_id: str
    fingerprint: str
    """Of the catalog."""
    seeds: int
    k: int
    unit: str
    """What is drawn anew for intervals: readers, or look-ups of similar books."""
    baseline: str
    n_users: int
    data: dict[str, int]
    """Books, readers and readings that models learned from, and what was held out."""
    models: list[Model]
    heads: list[float]
    """Shares of the books that may be shown, the most read first."""
    read_reach: list[float]
    """Share of all readings that each of them has."""
    parts: list[Part]
    curve: list[CurvePoint]
    ratings: RatingFigures | None
