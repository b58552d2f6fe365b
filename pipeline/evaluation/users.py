"""Who is measured: readers with something to learn from and something held out, always the same ones."""

from dataclasses import dataclass, field

import numpy as np

from evidence.kind import NO_EVENTS, EventBooks
from foundation.arrays import F32, I64, Mask, find_rows
from pipeline.draws import USER_SALT, draw
from pipeline.records import Fold, Interactions


@dataclass(frozen=True, eq=False)
class EvaluationUsers:
    """Readers, ascending by user_id, with what they read and what they held out."""

    user_ids: I64
    histories: list[I64]
    """book_ids of the fold, ascending."""
    ratings: list[F32]
    """Of the books of each history; NaN for implicit ones."""
    held_out: list[I64]
    """book_ids, ascending; never empty."""
    held_out_ratings: list[F32]
    """Of what each held out; NaN for implicit ones."""
    events: list[EventBooks] = field(default_factory=list)
    """What each did besides rating; empty if nobody did."""

    def events_of(self, at: int) -> EventBooks:
        """What one reader did besides rating."""
        return self.events[at] if self.events else NO_EVENTS

    @property
    def size(self) -> int:
        return int(self.user_ids.size)

    def take(self, mask: Mask) -> "EvaluationUsers":
        """Those readers where the mask holds."""
        rows = np.flatnonzero(mask)
        return EvaluationUsers(
            user_ids=self.user_ids[rows],
            histories=[self.histories[row] for row in rows],
            ratings=[self.ratings[row] for row in rows],
            held_out=[self.held_out[row] for row in rows],
            held_out_ratings=[self.held_out_ratings[row] for row in rows],
            events=[self.events_of(row) for row in rows.tolist()],
        )


def choose_users(fold: Fold, held_out: Interactions, *, at_most: int) -> EvaluationUsers:
    """Those readers of the fold with held-out books whose hashes are smallest.

    A hash keeps the choice from night to night, while a random draw would change it with every new reader.
    """
    candidates = np.intersect1d(fold.user_ids, held_out.user_ids)
    places = draw(candidates, np.zeros_like(candidates), USER_SALT)
    user_ids = np.sort(candidates[np.lexsort((candidates, places))[:at_most]])
    _, user_idx = find_rows(fold.user_ids, user_ids)
    starts = np.searchsorted(held_out.user_ids, user_ids, side="left")
    ends = np.searchsorted(held_out.user_ids, user_ids, side="right")
    slices = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    histories = [fold.history(idx) for idx in user_idx]
    return EvaluationUsers(
        user_ids=user_ids,
        histories=[book_ids for book_ids, _ in histories],
        ratings=[ratings for _, ratings in histories],
        held_out=[held_out.book_ids[each] for each in slices],
        held_out_ratings=[held_out.ratings[each] for each in slices],
        events=[fold.events_of(idx) for idx in user_idx],
    )
