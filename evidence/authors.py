"""Whom a reader reads: books by the authors of the history, the more read the better."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from scipy.sparse import csr_array, diags_array

from evidence.kind import LOW_RATING_WEIGHT, History, Kind, Scores, TrainingData
from foundation.arrays import F64, I64
from foundation.records import formerly
from foundation.settings import Options
from foundation.sparse import gather_rows
from foundation.tools import Tools


@dataclass(frozen=True, eq=False)
class Authors(Kind[Options]):
    """Who wrote what."""

    learned: ClassVar[bool] = False

    book_authors: csr_array = field(metadata=formerly("../../book_authors"))
    """(n, n_authors): the square root of the book's readers where the author wrote the book."""

    @classmethod
    def fit(cls, data: TrainingData, params: Options, *, seed: int, tools: Tools) -> Self:
        readers = diags_array(np.sqrt(data.counts).astype(np.float32))
        return cls(csr_array(readers @ data.book_authors))

    def score(self, history: History) -> Scores:
        """(n,): the book's weight times the root of what its authors count in the history."""
        return np.asarray(self.book_authors @ np.sqrt(self._taste(history)))

    def explain(self, history: History, asked: I64) -> F64:
        """The root of an author's summed weights, divided among the books that it is the sum of."""
        each_brings = 1 / np.sqrt(np.maximum(self._taste(history), LOW_RATING_WEIGHT))
        wrote = (self.book_authors[history.item_idx] > 0).astype(np.float64)
        shares = (self.book_authors[asked] * each_brings[None, :]) @ wrote.T.toarray()
        return np.asarray(shares * history.weights)

    def _taste(self, history: History) -> F64:
        """(n_authors,): summed weights of the books of the history that each author wrote."""
        entries = gather_rows(self.book_authors, history.item_idx)
        weights, n_authors = history.weights[entries.rows], self.book_authors.shape[1]
        return np.bincount(entries.columns, weights, minlength=n_authors).astype(np.float64)
