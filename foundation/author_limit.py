"""The list rule that no author crowds out the others: at most two of one in any ten consecutive books."""

from collections import defaultdict, deque
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Final

MOST_PER_AUTHOR: Final = 2
WINDOW: Final = 10
READ_AHEAD: Final = 10
"""Ranked books that a list may be chosen from, in multiples of its length."""

Authors = Collection[Hashable]


def limit_authors(
    authors: Iterable[Authors], k: int, *, most: int = MOST_PER_AUTHOR, window: int = WINDOW
) -> list[int]:
    """Positions of k ranked books, reordered so that no `window` in a row have over `most` of an author.

    `authors` has the authors of each ranked book, best book first, and is read only as far as needed. A book
    that breaks the rule is held back until it fits. Where none that is left fits, the best one left is taken
    all the same: the list is shorter than k only if the ranking is.
    """
    unread = enumerate(authors)
    held_back: list[tuple[int, Authors]] = []
    recent: deque[frozenset[Hashable]] = deque()
    counts: defaultdict[Hashable, int] = defaultdict(int)
    chosen: list[int] = []
    is_freed = False  # whether a book that was held back may fit by now

    def fits(names: Authors) -> bool:
        for name in names:  # noqa: SIM110  (all() takes three times as long)
            if counts[name] >= most:
                return False
        return True

    while len(chosen) < k:
        if len(recent) == window:
            for name in recent.popleft():
                counts[name] -= 1
                is_freed = is_freed or counts[name] == most - 1
        place = (
            next((at for at, (_, names) in enumerate(held_back) if fits(names)), None) if is_freed else None
        )
        is_freed = place is not None
        if place is not None:
            taken = held_back.pop(place)
        else:
            for taken in unread:
                if fits(taken[1]):
                    break
                held_back.append(taken)
            else:
                if not held_back:
                    break
                taken = held_back.pop(0)
        recent.append(frozenset(taken[1]))
        for name in recent[-1]:
            counts[name] += 1
        chosen.append(taken[0])
    return chosen


def lower_to_fall(scores: Sequence[float]) -> list[float]:
    """Scores of a reordered list, each lowered to the smallest before it, so that they never increase."""
    lowest = float("inf")
    return [lowest := min(lowest, score) for score in scores]
