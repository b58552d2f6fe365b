"""Step 2: keeps the ratings that a model may be trained on, and counts what it drops and why."""

import numpy as np
import pyarrow.compute as pc

from catalog.tables import EventKind
from foundation.arrays import I64, Mask, find_rows, pack_pairs, unpack_pairs
from foundation.serving_rules import EventWeights
from pipeline.records import Clean, Events, Export, Interactions, no_events

DEFAULT_WEIGHTS = EventWeights()
LOWEST_RATING, HIGHEST_RATING = 1.0, 10.0
FEWEST_READERS_OF_HIDDEN = 3
"""More of them cost memory and time, and found no more of what the readers of Book-Crossing held out."""


def clean(catalog: Export, *, event_weights: EventWeights = DEFAULT_WEIGHTS) -> Clean:
    """Drop ratings of books not listed, ratings outside 1 to 10, and hidden books of too few readers.

    Null stays, as implicit. The catalog's primary key makes pairs distinct; rows are ascending by
    (user_id, book_id). Of events, those of pairs count that were neither rated nor dismissed.
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
        "hidden book of few readers": valid.size - kept.size,
    }
    return Clean(kept.take(order), report, _weigh_events(catalog, event_weights))


def _has_enough_readers(book_ids: I64, hidden_ids: I64) -> Mask:
    books, item_idx, n_readers = np.unique(book_ids, return_inverse=True, return_counts=True)
    is_enough = (n_readers >= FEWEST_READERS_OF_HIDDEN) | ~np.isin(books, hidden_ids)
    return np.asarray(is_enough[item_idx])


def _weigh_events(catalog: Export, weights_of: EventWeights) -> Events:
    """What each pair counts by the strongest of its events; nothing if it was rated, too, or dismissed."""
    events, ratings = catalog.events, catalog.ratings
    kind = pc.dictionary_encode(events["kind"]).combine_chunks()
    names, number = kind.dictionary.to_pylist(), kind.indices.to_numpy()
    all_pairs = pack_pairs(events["user_id"].to_numpy(), events["book_id"].to_numpy())
    pairs, starts = np.unique(all_pairs, return_index=True)
    if not pairs.size:
        return no_events()
    worth = np.array([weights_of.of(name) for name in names], dtype=np.float32)[number]
    weights = np.maximum.reduceat(worth, starts)
    dismissed = [place for place, name in enumerate(names) if name == EventKind.DISMISS]
    weights[np.isin(pairs, all_pairs[np.isin(number, dismissed)])] = 0
    rated = pack_pairs(ratings["user_id"].to_numpy(), ratings["book_id"].to_numpy())
    user_ids, book_ids = unpack_pairs(pairs)
    counts = (weights > 0) & ~np.isin(pairs, rated) & np.isin(book_ids, catalog.books["book_id"].to_numpy())
    return Events(user_ids[counts], book_ids[counts], weights[counts])
