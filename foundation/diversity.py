"""The list rule that books of a list differ from each other: maximal marginal relevance."""

from collections.abc import Collection, Hashable, Sequence
from typing import Final, NamedTuple

POOL_FACTOR: Final = 2
POOL_SPARE: Final = 10
"""A little less than the gateway fetches at first, so that diversity costs no further request."""


class Traits(NamedTuple):
    """What tells that two books are alike."""

    authors: frozenset[Hashable]
    subjects: frozenset[Hashable]


def read_traits(authors: Collection[Hashable], subjects: Collection[Hashable]) -> Traits:
    """The traits of a book."""
    return Traits(frozenset(authors), frozenset(subjects))


def pool_size(k: int) -> int:
    """How many ranked books a list of k is chosen from."""
    return POOL_FACTOR * k + POOL_SPARE


def diversify(books: Sequence[Traits], *, strength: float) -> list[int]:
    """Positions of all of these ranked books, the best first, reordered so that neighbours differ.

    Carbonell & Goldstein 1998: next comes the book with the largest (1 − strength) · relevance −
    strength · likeness to the one before that is most like it. Relevance falls from 1 with the place, since
    scores of different sources have no common unit. Strength 0 changes nothing; ties go to the better book.
    """
    left = list(range(len(books)))
    likeness = [0.0] * len(books)
    chosen: list[int] = []

    def worth(position: int) -> float:
        return (1 - strength) * (1 - position / len(books)) - strength * likeness[position]

    while left:
        taken = max(left, key=worth)
        left.remove(taken)
        chosen.append(taken)
        for position in left:
            likeness[position] = max(likeness[position], find_likeness(books[taken], books[position]))
    return chosen


def find_likeness(left: Traits, right: Traits) -> float:
    """1 for books of one author, else the share of their subjects that both have."""
    if not left.authors.isdisjoint(right.authors):
        return 1.0
    n_common = len(left.subjects & right.subjects)
    return n_common / (len(left.subjects) + len(right.subjects) - n_common) if n_common else 0.0
