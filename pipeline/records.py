"""What steps hand on: the catalog, who read what, folds of it, aggregates of its books."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array, vstack

from evidence.kind import EventBooks
from foundation.arrays import F32, F64, I64, Mask, find_rows, find_starts


@dataclass(frozen=True, eq=False)
class Export:
    """The tables that training reads; columns as in `catalog.snapshot.SCHEMAS`, rows by primary key."""

    books: pa.Table
    editions: pa.Table
    authors: pa.Table
    book_authors: pa.Table
    subjects: pa.Table
    book_subjects: pa.Table
    ratings: pa.Table
    events: pa.Table
    users: pa.Table
    fingerprint: str
    """Hex sha256 over all rows of all tables: equal catalogs have equal fingerprints."""
    read_at: float = 0
    """Seconds since 1970 UTC; what came later is not in it."""

    @cached_property
    def shown(self) -> "Export":
        """The catalog without hidden books: what look-ups, searches and cards may know."""
        return replace(self, books=self.books.filter(pc.is_null(self.books["hidden"])))

    @property
    def hidden_ids(self) -> I64:
        """Books that are evidence only, ascending."""
        hidden = self.books.filter(pc.is_valid(self.books["hidden"]))
        return np.asarray(hidden["book_id"].to_numpy(), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Interactions:
    """Distinct pairs of a reader and a book, ascending by (user_id, book_id)."""

    user_ids: I64
    book_ids: I64
    ratings: F32
    """1 to 10; NaN where the reader only used the book."""
    hidden_ids: I64 = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Ascending: of the books, those that are evidence only, and never shown."""

    @property
    def size(self) -> int:
        return int(self.user_ids.size)

    def take(self, rows: I64 | Mask) -> "Interactions":
        """The pairs of an index or of a mask."""
        return Interactions(self.user_ids[rows], self.book_ids[rows], self.ratings[rows], self.hidden_ids)


@dataclass(frozen=True, eq=False)
class Events:
    """Distinct pairs of a reader and a book that they did something with and never rated, ascending."""

    user_ids: I64
    book_ids: I64
    weights: F32
    """How much each counts as evidence, above 0; a book read counts 1."""


def no_events() -> Events:
    """Nobody did anything but rate."""
    return Events(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Clean:
    """Validated interactions and events, and the report of how the interactions came about."""

    interactions: Interactions
    report: dict[str, int]
    """`read`, `kept` and one count for each reason to drop; read = kept + the rest."""
    events: Events = field(default_factory=no_events)


@dataclass(frozen=True, eq=False)
class Fold:
    """Interactions that a model may see, and the vocabularies that come from them alone."""

    user_ids: I64
    """(n_users,) ascending."""
    book_ids: I64
    """(n_items,) ascending."""
    is_shown: Mask
    """(n_items,): whether readers may be shown the book; others are evidence only."""
    user_items: csr_array
    """(n_users, n_items) float32, 1 for every pair."""
    ratings: csr_array
    """The same pattern with the ratings, NaN for implicit ones."""
    events: csr_array
    """(at least n_users, n_items) float32: what a reader did with other books, as weights.

    Rows after those of user_ids are readers who rated nothing.
    """

    @property
    def evidence(self) -> csr_array:
        """(at least n_users, n_items) float32: what models learn from, 1 for every pair, less for events."""
        if not self.events.nnz:
            return self.user_items
        n_more = self.events.shape[0] - self.user_items.shape[0]
        nobody = csr_array((n_more, self.book_ids.size), dtype=np.float32)
        return csr_array(vstack([self.user_items, nobody]) + self.events)

    def events_of(self, user_idx: int) -> EventBooks:
        """What one user did something else with than read."""
        start, end = self.events.indptr[user_idx : user_idx + 2]
        return EventBooks(self.book_ids[self.events.indices[start:end]], self.events.data[start:end])

    def history(self, user_idx: int) -> tuple[I64, F32]:
        """The books of one user, ids ascending, and their ratings, NaN for implicit ones."""
        start, end = self.ratings.indptr[user_idx : user_idx + 2]
        return self.book_ids[self.ratings.indices[start:end]], self.ratings.data[start:end]


@dataclass(frozen=True, eq=False)
class Split:
    """The folds. What is held out of `train` is never in `inner` either; hidden books are in all of them."""

    split_id: str
    """Names the rule: under one id a pair keeps its place, whatever else the catalog holds."""
    train: Fold
    held_out: Interactions
    inner: Fold
    """Train without `inner_held_out`: what the ranker is tuned on."""
    inner_held_out: Interactions


@dataclass(frozen=True, eq=False)
class Aggregates:
    """One value a book, in the order of the fold's book_ids."""

    counts: I64
    """Readers of the book."""
    n_explicit: I64
    """Readers who rated it."""
    mean: F64
    """Mean rating; NaN without any."""
    bayesian_mean: F64
    """As `build_bayesian_mean` has it; NaN without any rating. For display, not for ranking."""
    popularity: F32
    """log1p(count) / log1p(largest count), in [0, 1]."""
    co_reading: csr_array
    """(n_items, n_items): for each book the books that most of its readers read too, and how many did."""


def build_fold(interactions: Interactions, events: Events | None = None) -> Fold:
    """The matrix over exactly the readers and books that occur; of events those with one of the books."""
    user_ids, user_idx = np.unique(interactions.user_ids, return_inverse=True)
    book_ids, item_idx = np.unique(interactions.book_ids, return_inverse=True)
    indptr = find_starts(user_idx, user_ids.size).astype(np.int32)
    indices, shape = item_idx.astype(np.int32), (user_ids.size, book_ids.size)
    ones = np.ones(interactions.size, dtype=np.float32)
    return Fold(
        user_ids=user_ids,
        book_ids=book_ids,
        is_shown=~np.isin(book_ids, interactions.hidden_ids),
        user_items=csr_array((ones, indices, indptr), shape=shape),
        ratings=csr_array((interactions.ratings, indices, indptr), shape=shape),
        events=_place_events(events or no_events(), user_ids, book_ids),
    )


def _place_events(events: Events, user_ids: I64, book_ids: I64) -> csr_array:
    is_known, item_idx = find_rows(book_ids, events.book_ids)
    users = events.user_ids[is_known]
    rows = np.concatenate([user_ids, np.setdiff1d(users, user_ids)])
    order = np.argsort(rows, kind="stable")
    user_idx = order[np.searchsorted(rows, users, sorter=order)]
    return csr_array(
        (events.weights[is_known], (user_idx, item_idx)), shape=(rows.size, book_ids.size), dtype=np.float32
    )
