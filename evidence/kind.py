"""What a kind of evidence is: fitted to ratings, it scores books for a history, and explains scores."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from evidence.figures import Figures
from foundation.arrays import F32, F64, I32, I64, Chosen, Rows, find_rows
from foundation.settings import Options
from foundation.tools import Tools

P = TypeVar("P", bound=Options)
Scores = NDArray[np.number[Any]]

RATINGS: Final = (1.0, 5.0, 6.5, 10.0)
WEIGHTS: Final = (-1.0, 0.7, 1.0, 1.3)
"""What a book of such a rating counts, on straight lines between: one that was hated speaks against its like.

A book without a rating counts 1, between a 6 and a 7.
"""

TINY: Final = 1e-30
"""Smaller sums of evidence are rounding; dividing by them would overflow float32."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What evidence is fitted to; rows of books are those of the model that it becomes part of."""

    user_items: csr_array
    """(n_users, n) float32, 1 for every book read, less for one that a reader did something else with."""
    counts: I64
    """(n,): readers of each book."""
    book_authors: csr_array
    """(n, n_authors) float32, 1 where the author wrote the book."""
    title_words: csr_array
    """(n, n_words) float32, 1 where the book's title has the word."""
    languages: I32
    """(n,): the language of each book, as `evidence.languages` numbers it; 0 where none is told."""
    author_ids: I64 | None = None
    """(n_authors,) ascending."""
    figures: Figures | None = None
    """Of the books."""


class EventBooks(NamedTuple):
    """Books that a reader did something else with than read or rate them."""

    book_ids: Sequence[int] | I64
    weights: Sequence[float] | F32
    """How much each counts, where a book read counts 1."""


NO_EVENTS: Final = EventBooks((), ())


@dataclass(frozen=True, eq=False)
class History:
    """The books of a reader's history that a model knows, and those of events."""

    item_idx: I64
    """(n_read,): rows, ascending and distinct."""
    weights: F32
    """(n_read,): how much each book counts; below 0 it counts against what is like it."""

    @cached_property
    def is_rated(self) -> bool:
        """Whether any book counts otherwise than without a rating."""
        return bool((self.weights != 1).any())

    @property
    def unrated(self) -> "History":
        """The same books, had none a rating."""
        return History(self.item_idx, np.ones_like(self.weights))


class Found(ABC):
    """What a kind has found for one history."""

    candidates: Rows | None
    """All books with a score but 0, in any order, some maybe more than once; None where any may have one."""

    @abstractmethod
    def score(self, chosen: Chosen) -> Scores:
        """(n_chosen,): how much speaks for each of these books, the candidates among them, or against it."""


@dataclass(frozen=True, eq=False)
class Terms(Found):
    """What is summed up, book by book."""

    candidates: Rows
    terms: F32 | F64
    """(n_candidates,): what each adds to the score of its book."""

    def score(self, chosen: Chosen) -> Scores:
        return np.bincount(chosen.place(self.candidates), self.terms, minlength=chosen.rows.size)


@dataclass(frozen=True, eq=False)
class Products(Found):
    """Inner products of factors."""

    item_factors: F32
    """(n, n_factors)."""
    user_factors: F32
    """(n_factors,)."""
    candidates: None = None

    def score(self, chosen: Chosen) -> Scores:
        return np.asarray(chosen.take(self.item_factors) @ self.user_factors)


@dataclass(frozen=True, eq=False)
class Same(Found):
    """What is known of every book beforehand."""

    scores: F32
    """(n,)."""
    candidates: None = None

    def score(self, chosen: Chosen) -> Scores:
        return chosen.take(self.scores)


class Scored(NamedTuple):
    """What a kind says of every book."""

    scores: Scores
    """(n,): how much speaks for each book, less what speaks against it."""
    unit: float
    """What the blend divides them by: the largest outside the history, had it no ratings.

    So a rating moves the books that it speaks of, and not the unit of all others.
    """


class Kind(ABC, Generic[P]):
    """A frozen dataclass of arrays whose rows are the n books of a model, so that it can be sealed."""

    learned: ClassVar[bool]
    """Whether it is learned from ratings: what is only counted must be beaten by what is learned."""
    personal: ClassVar[bool] = True
    """Whether it comes from books of the history, so that a better rating of one raises its scores."""

    @classmethod
    @abstractmethod
    def fit(cls, data: TrainingData, params: P, *, seed: int, tools: Tools) -> Self:
        """The evidence of this data; the same data, parameters and seed give the same bytes."""

    @property
    @abstractmethod
    def n_items(self) -> int:
        """n."""

    def head(self, popularity: F32) -> Rows:
        """Where any book may have a score, the books that may have one of the best; popularity is (n,)."""
        return np.empty(0, dtype=np.int64)

    @abstractmethod
    def find(self, history: History) -> Found:
        """In proportion to each weight, so that a higher rating never lowers what the book speaks for."""

    def score(self, history: History) -> Scored:
        """Every book."""
        everything = Chosen.all(self.n_items)
        scores = self.find(history).score(everything)
        unrated = self.find(history.unrated).score(everything) if history.is_rated else scores
        return Scored(scores, largest_outside(np.abs(unrated), history))

    @abstractmethod
    def spread(self, rows: I64, n_items: int) -> Self:
        """The same evidence in these ascending rows of n_items, and none of the others."""

    def explain(self, history: History, asked: I64) -> F64 | None:
        """(n_asked, n_read): what each book of the history adds to a score; None where it comes from none."""
        return None


def largest_outside(scores: Scores, history: History) -> float:
    """The largest score of a book that is not in the history, at least 0."""
    # ALS scores the history itself highest; dividing by that would shrink its say on everything else.
    outside = scores.copy()
    outside[history.item_idx] = 0
    return float(outside.max())


def weigh(ratings: F32, strength: float) -> F32:
    """How much a book of each rating counts; NaN is none. With a strength of 0 ratings count nothing."""
    weights = 1 + strength * (np.interp(ratings, RATINGS, WEIGHTS) - 1)
    return np.where(np.isnan(ratings), 1, weights).astype(np.float32)


def read_history(
    book_ids: I64,
    history_ids: Sequence[int] | I64,
    ratings: Sequence[float | None] | F32,
    *,
    rating_strength: float = 1.0,
    events: EventBooks = NO_EVENTS,
) -> History:
    """What of a history is among these books, (n,) ascending; None or NaN is a book without a rating.

    Of a book that was read, events say no more.
    """
    weights = weigh(np.asarray(ratings, dtype=np.float32), rating_strength)
    is_known, rows = find_rows(book_ids, np.concatenate([history_ids, events.book_ids]).astype(np.int64))
    # Stable: of equal ones that of the rating comes first.
    order = rows.argsort(kind="stable")
    item_idx = rows[order]
    is_first = np.ones(item_idx.size, dtype=bool)
    is_first[1:] = item_idx[1:] != item_idx[:-1]
    weights = np.concatenate([weights, events.weights]).astype(np.float32)
    return History(item_idx[is_first], weights[is_known][order[is_first]])
