"""What books have in common, as one more reader of just these books: it tells of those that few have read."""

import numpy as np
from scipy.sparse import csr_array


def read_by_trait(traits: csr_array) -> csr_array:
    """(n_shared, n): the books that have each of the traits, (n, n_traits), which two books share."""
    trait_books = csr_array(traits.T)
    return csr_array(trait_books[np.flatnonzero(np.diff(trait_books.indptr) > 1)])
