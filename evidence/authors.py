"""Whom a reader reads: books by the authors of the history, the more read and the better liked the better."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt
from typing import ClassVar, Self

import numpy as np
from scipy.sparse import csr_array, diags_array

from evidence.kind import Found, History, Kind, Terms, TrainingData
from foundation.arrays import F64, I64
from foundation.records import formerly
from foundation.settings import Options
from foundation.sparse import gather_rows, spread_rows
from foundation.tools import Tools


@dataclass(frozen=True, eq=False)
class Authors(Kind[Options]):
    """Who wrote what."""

    learned: ClassVar[bool] = False

    book_authors: csr_array = field(metadata=formerly("../../book_authors"))
    """(n, n_authors): the square root of the book's readers where the author wrote the book."""
    author_ids: I64 | None = None
    """(n_authors,) ascending; None before 0.7.0: nobody can ask for an author's books."""

    @classmethod
    def fit(cls, data: TrainingData, params: Options, *, seed: int, tools: Tools) -> Self:
        return cls.weigh(data.book_authors, data.counts, data.author_ids)

    @classmethod
    def weigh(cls, book_authors: csr_array, counts: I64, author_ids: I64 | None) -> Self:
        """Of who wrote what, (n, n_authors), and how many have read it, (n,)."""
        readers = diags_array(np.sqrt(counts).astype(np.float32))
        return cls(csr_array(readers @ book_authors), author_ids)

    @property
    def n_items(self) -> int:
        """n."""
        return int(self.book_authors.shape[0])

    def find(self, history: History) -> Found:
        """The book's weight times, for its authors, the mean weight · √(books of theirs read)."""
        weights = defaultdict[int, list[float]](list)
        # Of a few books, which most histories have, arrays would take longer.
        for authors, weight in zip(self.of_each(history.item_idx), history.weights.tolist(), strict=True):
            for author in authors:
                weights[author].append(weight)
        read = sorted(weights)
        # √n times the mean.
        worth = np.array([sum(weights[author]) / sqrt(len(weights[author])) for author in read])
        wrote = gather_rows(self.author_books, np.array(read, dtype=np.int64))
        return Terms(wrote.columns, wrote.values * worth[wrote.rows])

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same authors."""
        return type(self)(spread_rows(self.book_authors, rows, n_items), self.author_ids)

    def explain(self, history: History, asked: I64) -> F64:
        """The terms of that sum."""
        wrote = self.book_authors[history.item_idx] > 0
        n_read = wrote.sum(axis=0)
        by_author = wrote.multiply(1 / np.sqrt(np.maximum(n_read, 1))[None, :])
        return np.asarray((self.book_authors[asked] @ by_author.T).toarray() * history.weights)

    def of_each(self, rows: I64) -> Iterator[list[int]]:
        """The authors of one book after the other, as columns."""
        starts, columns = self.book_authors.indptr, self.book_authors.indices
        for row in rows.tolist():
            yield columns[starts[row] : starts[row + 1]].tolist()

    @cached_property
    def author_books(self) -> csr_array:
        """(n_authors, n): an author's books cost less to look up than a product over all books."""
        return self.book_authors.T.tocsr()
