"""What a kind of evidence is: fitted to ratings, it scores every book for a history, and explains scores."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foundation.arrays import F32, F64, I64, find_rows
from foundation.settings import Options
from foundation.tools import Tools

P = TypeVar("P", bound=Options)
Scores = NDArray[np.floating[Any]]

LOW_RATING: Final = 5.0
LOW_RATING_WEIGHT: Final = np.float32(0.5)
"""What a book rated lower counts: recall loses nothing, and what a reader hated drives their list less."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What evidence is fitted to; rows of books are those of the model that it becomes part of."""

    user_items: csr_array
    """(n_users, n) float32, 1 for every book read."""
    counts: I64
    """(n,): readers of each book."""
    book_authors: csr_array
    """(n, n_authors) float32, 1 where the author wrote the book."""


@dataclass(frozen=True, eq=False)
class History:
    """The books of a reader's history that a model knows."""

    item_idx: I64
    """(n_read,): rows, ascending and distinct."""
    weights: F32
    """(n_read,): how much each book counts."""


class Kind(ABC, Generic[P]):
    """A frozen dataclass of arrays whose rows are the n books of a model, so that it can be sealed."""

    learned: ClassVar[bool]
    """Whether it is learned from ratings: what is only counted must be beaten by what is learned."""

    @classmethod
    @abstractmethod
    def fit(cls, data: TrainingData, params: P, *, seed: int, tools: Tools) -> Self:
        """The evidence of this data; the same data, parameters and seed give the same bytes."""

    @abstractmethod
    def score(self, history: History) -> Scores:
        """(n,): how much speaks for each book. The blend scales it, so the unit is the kind's own."""

    def explain(self, history: History, asked: I64) -> F64 | None:
        """(n_asked, n_read): what each book of the history adds to a score; None where it comes from none."""
        return None


def read_history(
    book_ids: I64, history_ids: Sequence[int] | I64, ratings: Sequence[float | None] | F32
) -> History:
    """What of a history is among these books, (n,) ascending; None or NaN is a book without a rating."""
    is_known, rows = find_rows(book_ids, history_ids)
    item_idx, first = np.unique(rows, return_index=True)
    rated = np.asarray(ratings, dtype=np.float32)[is_known][first]
    return History(item_idx, np.where(rated < LOW_RATING, LOW_RATING_WEIGHT, np.float32(1)))
