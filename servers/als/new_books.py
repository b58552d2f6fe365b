"""Shows new books, of which ratings cannot tell anything yet, to readers who love their authors."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from evidence.authors import Authors
from evidence.kind import History
from foundation.arrays import F32, I64, top_k
from foundation.sparse import gather_rows

MIN_LOVED: Final = 2
"""Books of an author, each read without a rating or rated above the middle, that make a reader love them."""
BEFORE_EACH: Final = (3, 6)
"""Other books that may stand before the first new book of a list, and before the second and last."""
MOST_OF_AUTHOR: Final = 2


@dataclass(frozen=True, eq=False)
class NewBooks:
    """Books that came lately and that few have read."""

    item_idx: I64
    """(n_new,): rows of the model's books, ascending."""
    arrived_at_s: I64
    """(n_new,): when a version first had the book, in seconds since 1970 UTC."""

    def lift(self, scores: F32, history: History, authors: Authors) -> None:
        """Raise the scores (n,) of those by the authors whom this reader loves most into the first ten.

        Each comes before its authors' other books, or the limit of an author's books would take it out. A
        score of -inf stays.
        """
        chosen = self._choose(scores, history, authors)
        if not chosen:
            return
        others = scores.copy()
        others[chosen] = -np.inf
        best = others[top_k(others, BEFORE_EACH[-1] + 1)]
        for row, n_before in zip(chosen, BEFORE_EACH, strict=False):
            own = gather_rows(authors.author_books, _list_authors(authors, row)).columns
            above = np.append(others[own], best[n_before : n_before + 1]).max()
            if above > -np.inf:
                scores[row] = max(scores[row], np.nextafter(above, np.float32(np.inf)))

    def _choose(self, scores: F32, history: History, authors: Authors) -> list[int]:
        """Rows of new books by loved authors: of the most loved first, then the latest."""
        love = self._measure_love(history, authors)
        order = np.lexsort((-self.item_idx, -self.arrived_at_s, -love))
        chosen: list[int] = []
        of_author: Counter[int] = Counter()
        for row in self.item_idx[order[love[order] >= MIN_LOVED]].tolist():
            names = _list_authors(authors, row).tolist()
            if scores[row] > -np.inf and all(of_author[name] < MOST_OF_AUTHOR for name in names):
                chosen.append(row)
                of_author.update(names)
            if len(chosen) == len(BEFORE_EACH):
                break
        return chosen

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


def _list_authors(authors: Authors, row: int) -> I64:
    return gather_rows(authors.book_authors, np.array([row])).columns
