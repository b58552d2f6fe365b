"""Shows new books, of which ratings cannot tell anything yet, to readers who love their authors."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from evidence.kind import History
from foundation.arrays import F32, I64
from foundation.sparse import gather_rows

MIN_LOVED: Final = 2
"""Books of an author, each read without a rating or rated above the middle, that make a reader love them."""
MOST_LIFTED: Final = 2
"""New books that come first in one list: more would crowd out what is known to be good."""


@dataclass(frozen=True, eq=False)
class NewBooks:
    """Books that came lately and that few have read."""

    item_idx: I64
    """(n_new,): rows of the model's books, ascending."""
    arrived_at_s: I64
    """(n_new,): when a version first had the book, in seconds since 1970 UTC."""

    def lift(self, scores: F32, history: History, book_authors: csr_array) -> None:
        """Raise the scores (n,) of those by the authors whom this reader loves most above all others.

        At most MOST_LIFTED, of one author the latest; never one whose score is -inf.
        """
        found = self._find_loved(history, book_authors)
        found = found[scores[self.item_idx[found]] > -np.inf][:MOST_LIFTED]
        for row in self.item_idx[found[::-1]]:
            scores[row] = np.nextafter(scores.max(), np.float32(np.inf))

    def _find_loved(self, history: History, book_authors: csr_array) -> I64:
        """Places of new books by loved authors, those of the most loved first, then the latest."""
        loved = gather_rows(book_authors, history.item_idx[history.weights >= 1])
        authors, n_loved = np.unique(loved.columns, return_counts=True)
        wrote = gather_rows(book_authors, self.item_idx)
        at = np.minimum(np.searchsorted(authors, wrote.columns), max(authors.size - 1, 0))
        love = np.zeros(self.item_idx.size, dtype=np.int64)
        if authors.size:
            np.maximum.at(love, wrote.rows, np.where(authors[at] == wrote.columns, n_loved[at], 0))
        order = np.lexsort((-self.item_idx, -self.arrived_at_s, -love))
        return order[love[order] >= MIN_LOVED]
