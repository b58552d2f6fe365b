"""Step 2: keeps the ratings that a model may be trained on, and counts what it drops and why."""

import numpy as np
import pyarrow.compute as pc

from foundation.arrays import find_rows
from pipeline.records import Clean, Export, Interactions

LOWEST_RATING, HIGHEST_RATING = 1.0, 10.0


def clean(catalog: Export) -> Clean:
    """Drop ratings of books no longer listed and ratings outside 1 to 10; null stays, as implicit.

    The catalog's primary key makes pairs distinct; rows are ascending by (user_id, book_id).
    """
    ratings, books = catalog.ratings, catalog.books
    all_pairs = Interactions(
        user_ids=ratings["user_id"].to_numpy(),
        book_ids=ratings["book_id"].to_numpy(),
        ratings=pc.fill_null(ratings["rating"], np.nan).to_numpy().astype(np.float32),
    )
    has_book, _ = find_rows(books["book_id"].to_numpy(), all_pairs.book_ids)
    is_implicit = np.isnan(all_pairs.ratings)
    in_range = is_implicit | ((all_pairs.ratings >= LOWEST_RATING) & (all_pairs.ratings <= HIGHEST_RATING))
    kept = all_pairs.take(has_book & in_range)
    order = np.lexsort((kept.book_ids, kept.user_ids))
    report = {
        "read": all_pairs.size,
        "kept": kept.size,
        "book not listed": int((~has_book).sum()),
        "rating outside 1 to 10": int((has_book & ~in_range).sum()),
    }
    return Clean(Interactions(kept.user_ids[order], kept.book_ids[order], kept.ratings[order]), report)
