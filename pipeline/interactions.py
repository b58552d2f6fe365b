"""Who read what: flat lists of interactions, and the matrix that models are trained on."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import F32, I64, Mask, find_starts


@dataclass(frozen=True, eq=False)
class Interactions:
    """Distinct pairs of a reader and a book, ascending by (user_id, book_id)."""

    user_ids: I64
    book_ids: I64
    ratings: F32
    """1 to 10; NaN where the reader only used the book."""

    @property
    def size(self) -> int:
        """How many pairs there are."""
        return int(self.user_ids.size)

    def take(self, mask: Mask) -> "Interactions":
        """Those pairs where the mask holds."""
        return Interactions(self.user_ids[mask], self.book_ids[mask], self.ratings[mask])


@dataclass(frozen=True, eq=False)
class Fold:
    """Interactions that a model may see, and the vocabularies that come from them alone."""

    user_ids: I64
    """(n_users,) ascending."""
    book_ids: I64
    """(n_items,) ascending."""
    user_items: csr_array
    """(n_users, n_items) float32, 1 for every pair."""
    ratings: csr_array
    """The same pattern with the ratings, NaN for implicit ones."""

    def history(self, user_idx: int) -> I64:
        """Items (rows of book_ids) of one user, ascending."""
        start, end = self.user_items.indptr[user_idx], self.user_items.indptr[user_idx + 1]
        return np.asarray(self.user_items.indices[start:end], dtype=np.int64)

    def history_ratings(self, user_idx: int) -> F32:
        """Ratings of those items, NaN for implicit ones."""
        start, end = self.ratings.indptr[user_idx], self.ratings.indptr[user_idx + 1]
        return np.asarray(self.ratings.data[start:end], dtype=np.float32)


def build_fold(interactions: Interactions) -> Fold:
    """The matrix over exactly the readers and books that occur."""
    user_ids, user_idx = np.unique(interactions.user_ids, return_inverse=True)
    book_ids, item_idx = np.unique(interactions.book_ids, return_inverse=True)
    indptr = find_starts(user_idx, user_ids.size).astype(np.int32)
    indices, shape = item_idx.astype(np.int32), (user_ids.size, book_ids.size)
    ones = np.ones(interactions.size, dtype=np.float32)
    return Fold(
        user_ids=user_ids,
        book_ids=book_ids,
        user_items=csr_array((ones, indices, indptr), shape=shape),
        ratings=csr_array((interactions.ratings, indices, indptr), shape=shape),
    )
