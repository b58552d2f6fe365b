"""Step 2: keeps the ratings that a model may be trained on, and counts what it drops and why."""

import numpy as np
import pyarrow.compute as pc

from foundation.arrays import I64, Mask, find_rows
from pipeline.records import Clean, Export, Interactions

LOWEST_RATING, HIGHEST_RATING = 1.0, 10.0
FEWEST_READERS_OF_HIDDEN = 2
"""A book of one reader tells nothing of others, and what is hidden is not to be shown either."""


def clean(catalog: Export) -> Clean:
    """Drop ratings of books not listed, ratings outside 1 to 10, and hidden books of too few readers.

    Null stays, as implicit. The catalog's primary key makes pairs distinct; rows are ascending by
    (user_id, book_id).
    """
    ratings, books = catalog.ratings, catalog.books
    all_pairs = Interactions(
        user_ids=ratings["user_id"].to_numpy(),
        book_ids=ratings["book_id"].to_numpy(),
        ratings=pc.fill_null(ratings["rating"], np.nan).to_numpy().astype(np.float32),
        hidden_ids=catalog.hidden_ids,
    )
    has_book, _ = find_rows(books["book_id"].to_numpy(), all_pairs.book_ids)
    is_implicit = np.isnan(all_pairs.ratings)
    in_range = is_implicit | ((all_pairs.ratings >= LOWEST_RATING) & (all_pairs.ratings <= HIGHEST_RATING))
    valid = all_pairs.take(has_book & in_range)
    kept = valid.take(_has_enough_readers(valid.book_ids, catalog.hidden_ids))
    order = np.lexsort((kept.book_ids, kept.user_ids))
    report = {
        "read": all_pairs.size,
        "kept": kept.size,
        "book not listed": int((~has_book).sum()),
        "rating outside 1 to 10": int((has_book & ~in_range).sum()),
        "hidden book of one reader": valid.size - kept.size,
    }
    return Clean(kept.take(order), report)


def _has_enough_readers(book_ids: I64, hidden_ids: I64) -> Mask:
    books, item_idx, n_readers = np.unique(book_ids, return_inverse=True, return_counts=True)
    is_enough = (n_readers >= FEWEST_READERS_OF_HIDDEN) | ~np.isin(books, hidden_ids)
    return np.asarray(is_enough[item_idx])
