"""What a kind of evidence is: fitted to ratings, it scores every book for a history, and explains scores."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from evidence.history import History
from foundation.arrays import F64, I64
from foundation.params import Params
from foundation.tools import Tools

P = TypeVar("P", bound=Params)
Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What evidence is fitted to; rows of books are those of the model that it becomes part of."""

    user_items: csr_array
    """(n_users, n) float32, 1 for every book read."""
    counts: I64
    """(n,): readers of each book."""
    book_authors: csr_array
    """(n, n_authors) float32, 1 where the author wrote the book."""


class Kind(ABC, Generic[P]):
    """A frozen dataclass of arrays whose rows are the n books of a model, so that it can be sealed."""

    learned: ClassVar[bool]
    """Whether who reads alike was learned from ratings; the rest is counted, and learning must add to it."""

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
