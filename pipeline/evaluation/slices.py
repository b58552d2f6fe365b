"""Groups of readers whose figures are told apart, and the books of the long tail."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from foundation.arrays import I64, Mask
from pipeline.evaluation.users import EvaluationUsers

HISTORY_ENDS: Final = (4, 9, 19, 49)
"""The longest history of each group but the last."""
HEAD_SHARE: Final = 0.5
"""The most read books with this share of all readings are the head, all others the tail."""


def slice_by_history(users: EvaluationUsers) -> Iterator[tuple[str, Mask]]:
    """Readers by the books that they have read, the shortest histories first; only groups with readers."""
    lengths = np.array([history.size for history in users.histories])
    places = np.searchsorted(HISTORY_ENDS, lengths)
    firsts = (1, *(end + 1 for end in HISTORY_ENDS))
    for place, first in enumerate(firsts):
        if (chosen := places == place).any():
            name = f"{first}_{HISTORY_ENDS[place]}" if place < len(HISTORY_ENDS) else f"from_{first}"
            yield f"history_{name}", chosen


def find_head(counts: I64) -> Mask:
    """(n_items,): whether a book is of the head, by how many have read each."""
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    is_head = np.zeros(counts.size, dtype=bool)
    is_head[order[before < HEAD_SHARE * counts.sum()]] = True
    return is_head
