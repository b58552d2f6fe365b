"""Which books a book's readers read too, and which its authors wrote: weights beside all vectors."""

from typing import Final

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import F32, F64, I64
from foundation.sparse import strongest_in_rows

ASYMMETRY: Final = 0.25
"""How far books that many read are held back: 0 is the share of a book's readers, 0.5 the cosine."""
DOUBTED_PAIRS: Final = 10
"""So many readers of two books tell half of what they seem to."""
READ_TOGETHER: Final = 2.0
"""What a book counts that all readers of another read too, where one of equal subjects counts 0.5."""
SAME_AUTHOR: Final = 0.3
"""What the most read book of an author counts for their others; one that nobody has read counts half."""


def relate_by_readers(user_items: csr_array, *, n: int) -> csr_array:
    """(n_items, n_items) float32: for each book i the `n` books j of largest weight.

    2 · c / (rᵢ^(1 − a) · rⱼ^a) · c / (c + 10) for c readers of both and a = 0.25: the asymmetric cosine of
    Aiolli 2013, "Efficient Top-N Recommendation for Very Large Scale Binary Rated Datasets", shrunk.
    """
    item_users = user_items.T.tocsr()
    n_readers = np.diff(item_users.indptr).astype(np.float64)

    def weigh(rows: I64, columns: I64, n_common: F64) -> F64:
        expected = n_readers[rows] ** (1 - ASYMMETRY) * n_readers[columns] ** ASYMMETRY
        return np.asarray(READ_TOGETHER * n_common / expected * n_common / (n_common + DOUBTED_PAIRS))

    return strongest_in_rows(item_users, user_items, n, weigh=weigh)


def relate_by_authors(book_authors: csr_array, popularity: F32, *, n: int) -> csr_array:
    """(n_books, n_books) float32: for each book the `n` most popular of its authors' others."""
    return strongest_in_rows(book_authors, weigh_authors(book_authors, popularity), n)


def weigh_authors(book_authors: csr_array, popularity: F32) -> csr_array:
    """(n_authors, n_books): what each of an author's books counts for the others; popularity is in [0, 1]."""
    worth = SAME_AUTHOR * (1 + popularity) / 2
    return csr_array(book_authors.multiply(worth[:, None]).T.tocsr())


def move_related(related: csr_array, new_rows: I64, n: int) -> csr_array:
    """The same weights among n books: new_rows has the row of each former one, -1 for none."""
    entries = related.tocoo()
    rows, columns = new_rows[entries.row], new_rows[entries.col]
    is_kept = (rows >= 0) & (columns >= 0)
    return csr_array((entries.data[is_kept], (rows[is_kept], columns[is_kept])), shape=(n, n))
