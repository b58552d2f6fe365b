"""Whom a reader reads: books by the authors of the history, the more read and the better liked the better."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from scipy.sparse import csr_array, diags_array

from evidence.kind import History, Kind, Scores, TrainingData
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
        """(n,): the book's weight times, for its authors, the mean weight · √(books of theirs read)."""
        entries = gather_rows(self.book_authors, history.item_idx)
        n_authors = self.book_authors.shape[1]
        summed = np.bincount(entries.columns, history.weights[entries.rows], minlength=n_authors)
        n_read = np.bincount(entries.columns, minlength=n_authors)
        return np.asarray(self.book_authors @ (summed / np.sqrt(np.maximum(n_read, 1))))

    def explain(self, history: History, asked: I64) -> F64:
        """The terms of that sum."""
        wrote = self.book_authors[history.item_idx] > 0
        n_read = wrote.sum(axis=0)
        by_author = wrote.multiply(1 / np.sqrt(np.maximum(n_read, 1))[None, :])
        return np.asarray((self.book_authors[asked] @ by_author.T).toarray() * history.weights)
