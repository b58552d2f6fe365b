"""A reader's history as the maths sees it: rows of a model's books, and how much each of them counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from foundation.arrays import F32, I64, find_rows

LOW_RATING: Final = 5.0
LOW_RATING_WEIGHT: Final = np.float32(0.5)
"""What a book rated lower counts: recall loses nothing, and what a reader hated drives their list less."""


@dataclass(frozen=True, eq=False)
class History:
    """The books of a history that a model knows."""

    item_idx: I64
    """(n_read,): rows, ascending and distinct."""
    weights: F32
    """(n_read,): how much each book counts."""


def read_history(
    book_ids: I64, history_ids: Sequence[int] | I64, ratings: Sequence[float | None] | F32
) -> History:
    """What of a history is among these books, (n,) ascending; None or NaN is a book without a rating."""
    is_known, rows = find_rows(book_ids, history_ids)
    item_idx, first = np.unique(rows, return_index=True)
    rated = np.asarray(ratings, dtype=np.float32)[is_known][first]
    return History(item_idx, np.where(rated < LOW_RATING, LOW_RATING_WEIGHT, np.float32(1)))
