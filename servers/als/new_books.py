"""Shows new books, of which ratings cannot tell anything yet, to readers who love their authors."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from evidence.authors import Authors
from evidence.kind import History
from foundation.arrays import F32, I64, Chosen
from foundation.author_limit import MOST_PER_AUTHOR
from foundation.sparse import gather_rows

MIN_LOVED: Final = 2
"""Books of an author, each read without a rating or rated above the middle, that make a reader love them."""
MOST_BEFORE: Final = 9
"""Other books that may stand before the new one, which is among the first ten so."""


@dataclass(frozen=True, eq=False)
class NewBooks:
    """Books that came lately and that few have read."""

    item_idx: I64
    """(n_new,): rows of the model's books, ascending."""
    arrived_at_s: I64
    """(n_new,): when a version first had the book, in seconds since 1970 UTC."""

    def lift(self, ranked: I64, chosen: Chosen, scores: F32, history: History, authors: Authors) -> I64:
        """These places, best first, with one new book by an author whom the reader loves among the first ten.

        Before it stay as many books of its authors as the limit of an author's books leaves room for, or the
        limit would take it out; the others come after it. scores (n_chosen,) are changed to fall along the
        list. Among the chosen are the books of the history's authors.
        """
        row = self._choose(chosen, scores, history, authors)
        if row is None:
            return ranked
        place = chosen.place(row)
        others = ranked[ranked != place]
        by_author = gather_rows(authors.book_authors, row).columns
        is_own = np.isin(chosen.rows[others], gather_rows(authors.author_books, by_author).columns)
        may_precede = ~is_own | (np.cumsum(is_own) < MOST_PER_AUTHOR)
        before = others[may_precede & (scores[others] > scores[place])][:MOST_BEFORE]
        after = others[~np.isin(others, before)]
        if before.size:
            scores[place] = scores[before[-1]]
        scores[after] = np.minimum(scores[after], scores[place])
        return np.concatenate([before, place, after])[: ranked.size]

    def _choose(self, chosen: Chosen, scores: F32, history: History, authors: Authors) -> I64 | None:
        """(1,): the row of the latest new book by the author whom the reader loves most."""
        love = self._measure_love(history, authors)
        loved = np.flatnonzero(love >= MIN_LOVED)
        loved = loved[scores[chosen.place(self.item_idx[loved])] > -np.inf]
        order = np.lexsort((self.item_idx[loved], self.arrived_at_s[loved], love[loved]))
        return self.item_idx[loved[order[-1:]]] if loved.size else None

    def _measure_love(self, history: History, authors: Authors) -> I64:
        """(n_new,): books that the reader loves of the one of its authors whom they love most."""
        love = np.zeros(self.item_idx.size, dtype=np.int64)
        loved = gather_rows(authors.book_authors, history.item_idx[history.weights >= 1])
        names, n_loved = np.unique(loved.columns, return_counts=True)
        if names.size:
            wrote = gather_rows(authors.book_authors, self.item_idx)
            at = np.minimum(np.searchsorted(names, wrote.columns), names.size - 1)
            np.maximum.at(love, wrote.rows, np.where(names[at] == wrote.columns, n_loved[at], 0))
        return love
