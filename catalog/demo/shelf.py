"""The demo's books as arrays: what the generator of readers needs to know of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foundation.arrays import F64, I64

ZIPF_EXPONENT = 0.7
ZIPF_OFFSET = 10
"""Popularity is 1 / (rank + offset) ** exponent: a long tail without a single book that all have read."""


@dataclass(frozen=True)
class Groups:
    """Books in groups (subjects or authors), to draw from by popularity."""

    starts: I64
    """(n_groups + 1,) where each group begins in `books`."""
    books: I64
    cumulative: F64
    """Running sum of popularity over `books`, all groups after each other, 0 first."""

    @classmethod
    def build(cls, group_idx: I64, book_idx: I64, popularity: F64, n_groups: int) -> "Groups":
        """Groups from (group, book) pairs."""
        order = np.lexsort((book_idx, group_idx))
        starts = np.searchsorted(group_idx[order], np.arange(n_groups + 1))
        books = book_idx[order]
        return cls(starts, books, np.concatenate([[0.0], np.cumsum(popularity[books])]))

    def draw(self, group_idx: I64, rng: np.random.Generator) -> I64:
        """One book of each of these groups, by popularity."""
        low, high = self.cumulative[self.starts[group_idx]], self.cumulative[self.starts[group_idx + 1]]
        place = (
            np.searchsorted(self.cumulative, low + rng.random(group_idx.size) * (high - low), side="right")
            - 1
        )
        # Rounding must not lead into the next group.
        return self.books[np.clip(place, self.starts[group_idx], self.starts[group_idx + 1] - 1)]


@dataclass(frozen=True)
class Tastes:
    """What only its readers know of a book: no author and no subject tells it."""

    of_book: I64
    """(n_books,) number of each book's taste."""
    books: Groups

    @classmethod
    def build(cls, of_book: I64, popularity: F64) -> "Tastes":
        """Tastes from the number of each book's."""
        n_tastes = int(of_book.max(initial=0)) + 1
        # Those of a number that no book has are never drawn: readers have the tastes of books.
        return cls(of_book, Groups.build(of_book, np.arange(of_book.size), popularity, n_tastes))


@dataclass(frozen=True)
class Shelf:
    """All books of a demo catalog."""

    popularity: F64
    """(n_books,) relative chance to be read."""
    subject_starts: I64
    """(n_books + 1,) where each book's subjects begin in `subjects`."""
    subjects: I64
    author: I64
    """(n_books,) the first author."""
    by_subject: Groups
    by_author: Groups
    everything: Groups
    tastes: Tastes | None
    """None where readers follow authors and subjects alone."""

    def draw_subject(self, book_idx: I64, rng: np.random.Generator) -> I64:
        """One subject of each of these books."""
        starts, ends = self.subject_starts[book_idx], self.subject_starts[book_idx + 1]
        return self.subjects[starts + (rng.random(book_idx.size) * (ends - starts)).astype(np.int64)]


def build_shelf(
    book_subjects: Sequence[Sequence[int]],
    author: I64,
    rng: np.random.Generator,
    *,
    tastes: I64 | None = None,
) -> Shelf:
    """A shelf from each book's subject numbers (at least one each), first author's number, and taste's."""
    n_books = len(book_subjects)
    popularity = np.asarray((rng.permutation(n_books) + ZIPF_OFFSET) ** -ZIPF_EXPONENT, dtype=np.float64)
    n_subjects = np.array([len(subjects) for subjects in book_subjects])
    subjects = np.fromiter((s for subjects in book_subjects for s in subjects), dtype=np.int64)
    book_idx = np.arange(n_books)
    return Shelf(
        popularity=popularity,
        subject_starts=np.concatenate([[0], np.cumsum(n_subjects)]),
        subjects=subjects,
        author=author,
        by_subject=Groups.build(
            subjects, np.repeat(book_idx, n_subjects), popularity, int(subjects.max(initial=0)) + 1
        ),
        by_author=Groups.build(author, book_idx, popularity, int(author.max(initial=0)) + 1),
        everything=Groups.build(np.zeros(n_books, dtype=np.int64), book_idx, popularity, 1),
        tastes=None if tastes is None else Tastes.build(tastes, popularity),
    )
