"""The threshold algorithm: the exact best of a weighted sum of two scores that two servers own.

Fagin, Lotem & Naor, "Optimal aggregation algorithms for middleware", J. Comput. Syst. Sci. 66 (2003).
Each server can list its books best first (sorted access) and score given books (random access). A book that
neither list has shown yet can score no more than the weighted sum of the last scores that they have shown,
the threshold; so what is known to reach it is final, and the lists are read only as deep as that takes.
"""

import heapq
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Side = Literal[0, 1]


class Scored(NamedTuple):
    """A book and its score."""

    book_id: int
    score: float


class ThresholdBlend:
    """Best-first stream of weight · left + (1 − weight) · right; sides are 0 (left) and 1 (right).

    A book that a list leaves out scores 0 there, and comes back from random access as 0 too. Feed both sides
    with `extend` and `learn` what is `missing`; then `take` returns what has become certain.
    """

    def __init__(self, weight: float) -> None:
        self._weights = (weight, 1 - weight)
        self._known: tuple[dict[int, float], dict[int, float]] = ({}, {})
        self._bounds = [float("inf"), float("inf")]
        self._closed = [False, False]
        self._final: list[tuple[float, int]] = []
        self._queued: set[int] = set()

    @property
    def is_done(self) -> bool:
        """Whether both lists were read to their ends, so that all is certain."""
        return all(self._closed)

    def extend(self, side: Side, page: Sequence[Scored], *, closed: bool) -> None:
        """The next books of one list, best first; `closed` if no more will come."""
        self._known[side].update(page)
        if page:
            # An unseen book may be one that the list leaves out, which scores 0 however low the list goes.
            self._bounds[side] = max(page[-1].score, 0.0)
        if closed:
            self._bounds[side], self._closed[side] = 0.0, True

    def missing(self, side: Side) -> list[int]:
        """Books that the other list has shown and whose score on this side is not known yet, ascending."""
        return sorted(self._known[1 - side].keys() - self._known[side].keys())

    def learn(self, side: Side, scores: Mapping[int, float]) -> None:
        """Scores from random access."""
        self._known[side].update(scores)

    def take(self) -> list[Scored]:
        """Everything that is certain now and was not taken before, best first, ties by id.

        All that is `missing` must have been learned.
        """
        left, right = self._known
        for book_id in left.keys() - self._queued:
            heapq.heappush(self._final, (-self._sum(left[book_id], right[book_id]), book_id))
            self._queued.add(book_id)
        threshold = -float("inf") if self.is_done else self._sum(*self._bounds)
        taken = []
        while self._final and -self._final[0][0] >= threshold:
            score, book_id = heapq.heappop(self._final)
            taken.append(Scored(book_id, -score))
        return taken

    def _sum(self, left: float, right: float) -> float:
        # A weight of 0 silences a list that has shown nothing yet: 0 · ∞ is not a number.
        parts = (weight * score for weight, score in zip(self._weights, (left, right), strict=True) if weight)
        return sum(parts)
