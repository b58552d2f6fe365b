"""Ranks books for a reader from their history: all kinds of evidence, blended, and the best reordered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from evidence.kind import NO_EVENTS, TINY, EventBooks, History, read_history
from evidence.registry import Evidence
from foundation.arrays import F32, F64, I64, Mask, find_rows, top_k
from servers.als.new_books import NewBooks
from servers.als.newcomers import Newcomers, Told
from servers.als.ranker import Candidates, Ranker, build_features
from servers.errors import NoKnownBooks, NoKnownFavourites

POPULARITY: Final = "popularity"
"""The kind whose share of the blend a request may choose."""


class _Scored(NamedTuple):
    """What a reader's history says of all n books."""

    of_kinds: F32
    """(n_kinds, n)."""
    own_units: F32
    """(n_kinds,): what each kind's scores are divided by where only this reader is looked at."""
    blended: F32
    """(n,)."""


@dataclass(frozen=True, eq=False)
class AlsModel:
    """Everything that ranking needs; rows of every array are the n books of `book_ids`."""

    book_ids: I64
    """(n,), ascending."""
    evidence: Evidence
    params: dict[str, Any]
    """By names of kinds: `blend`, weights, in sum 1, 0 where not named; `units`, what scores are divided by.

    Without units each reader's own are used, as before 0.7.0: weak evidence counts as much as strong.
    """
    shown: Mask | None = None
    """(n,): whether readers may be shown the book, others are evidence only; None before 0.4.0: all are."""
    new_books: NewBooks | None = None
    """What readers of its authors are shown though nobody else has read it."""
    ranker: Ranker | None = None
    """Reorders what the blend puts first; None where it is no better, and before 0.7.0."""
    newcomers: Newcomers | None = None
    """What readers without a history are shown; None before 0.7.0, and where nobody can be learned from."""

    def rank(
        self,
        history_ids: Sequence[int] | I64,
        ratings: Sequence[float | None] | F32,
        *,
        k: int,
        exclude: Sequence[int] = (),
        popularity_weight: float | None = None,
        rating_strength: float = 1.0,
        events: EventBooks = NO_EVENTS,
        with_history: bool = False,
    ) -> tuple[I64, F32]:
        """The k best shown books for whoever has this history, ids and scores, best first, ties by id.

        A score of 1 is what a book has that all kinds of evidence put first for a typical reader; what
        readers of the history seldom read is near 0 or below. A ranker deals the scores of its candidates
        out anew. Books of events count as far as their weights say. A new book of an author whom the reader
        loves comes up. Neither the history nor `exclude` comes back, books of events may; fewer than k only
        if the version knows no more. `popularity_weight` replaces the share of popularity in the tuned blend,
        and no ranker reorders that. Raises NoKnownBooks.
        """
        history = self._read(history_ids, ratings, rating_strength, events)
        unwanted = [exclude] if with_history else [history_ids, exclude]
        scored = self._score(history, unwanted, popularity_weight)
        if self.ranker is None or popularity_weight is not None:
            best = top_k(scored.blended, k)
        else:
            best = self._rerank(self.ranker, scored, history, k)
        if self.new_books is not None:
            best = self.new_books.lift(best, scored.blended, history, self.evidence.authors)
        return self.book_ids[best[:k]], scored.blended[best[:k]]

    def find_candidates(
        self,
        history_ids: Sequence[int] | I64,
        ratings: Sequence[float | None] | F32,
        *,
        n: int,
        rating_strength: float,
        events: EventBooks = NO_EVENTS,
    ) -> Candidates:
        """What a ranker of n candidates is given to reorder for whoever has this history; NoKnownBooks."""
        history = self._read(history_ids, ratings, rating_strength, events)
        scored = self._score(history, [history_ids], None)
        best = top_k(scored.blended, n)
        return Candidates(best, self._describe(best, scored, history, list(self.evidence.kinds)))

    def rank_new(
        self,
        told: Told,
        *,
        k: int,
        exclude: Sequence[int] | I64 = (),
        popularity_weight: float | None = None,
    ) -> tuple[I64, F32]:
        """The k best shown books for a reader without a history, ids and scores, best first, ties by id.

        `popularity_weight` replaces the share of popularity in the tuned blend. Raises NoKnownFavourites.
        """
        if self.newcomers is None:
            raise NoKnownFavourites
        scores = self.newcomers.score(told, self.evidence, popularity_weight=popularity_weight)
        if scores is None:
            raise NoKnownFavourites
        scores[self.hidden] = -np.inf
        scores[find_rows(self.book_ids, exclude)[1]] = -np.inf
        best = top_k(scores, k)
        return self.book_ids[best], scores[best]

    def explain(
        self,
        history_ids: Sequence[int],
        ratings: Sequence[float | None],
        book_ids: Sequence[int],
        *,
        k: int,
        rating_strength: float = 1.0,
    ) -> list[list[tuple[int, float]]]:
        """For each of these books the k books of the history that speak for it most, with shares in (0, 1].

        The shares of all that speak for it sum to 1; what comes from no book, as popularity, has none, and no
        book speaks for itself. A hidden book is never named, nor what the reader dislikes, although it may
        raise what is unlike it. A book that this version does not know, or that nothing in the history speaks
        for, has an empty list. Raises NoKnownBooks.
        """
        history = self._read(history_ids, ratings, rating_strength)
        is_known, wanted = find_rows(self.book_ids, book_ids)
        shares = iter(self._shares(history, wanted))
        return [self._strongest(history, next(shares), k) if known else [] for known in is_known]

    @property
    def is_shown(self) -> Mask:
        """(n,): whether readers may be shown the book."""
        return np.ones(self.book_ids.size, dtype=bool) if self.shown is None else self.shown

    @cached_property
    def hidden(self) -> I64:
        """Rows of the books that are evidence only."""
        return np.empty(0, dtype=np.int64) if self.shown is None else np.flatnonzero(~self.shown)

    def score_kinds(self, history: History) -> F32:
        """(n_kinds, n): each kind's scores of every book, in the units of the blend."""
        scores, units = self.score_raw(history)
        return scores * self._scale(units)[:, None]

    def score_raw(self, history: History) -> tuple[F32, F32]:
        """(n_kinds, n): each kind's scores of every book; (n_kinds,): their units for this reader alone."""
        kinds = self.evidence.kinds.values()
        scores = np.empty((len(kinds), self.book_ids.size), dtype=np.float32)
        units = np.empty(len(kinds), dtype=np.float32)
        for at, kind in enumerate(kinds):
            scores[at], units[at] = kind.score(history)
        return scores, units

    def _score(
        self, history: History, unwanted: Sequence[Sequence[int] | I64], popularity_weight: float | None
    ) -> _Scored:
        """All books, -inf for those that may not be shown."""
        scores, own_units = self.score_raw(history)
        weights: F32 = self._reblend(popularity_weight) * self._scale(own_units)
        blended = weights @ scores
        blended[self.hidden] = -np.inf
        for book_ids in unwanted:
            blended[find_rows(self.book_ids, book_ids)[1]] = -np.inf
        return _Scored(scores, own_units, blended)

    def _rerank(self, ranker: Ranker, scored: _Scored, history: History, k: int) -> I64:
        """At least k rows, best first; the candidates' scores are dealt out anew, the best to the first."""
        best = top_k(scored.blended, max(k, ranker.n_candidates))
        first = best[: ranker.n_candidates]
        order = ranker.order(self._describe(first, scored, history, ranker.kinds))
        reordered = first[order]
        scored.blended[reordered] = scored.blended[first]
        return np.concatenate([reordered, best[first.size :]])

    def _describe(self, rows: I64, scored: _Scored, history: History, kinds: Sequence[str]) -> F32:
        """(n, n_features): what a ranker that was trained on these kinds looks at of these books."""
        known = list(self.evidence.kinds)
        at = np.array([known.index(kind) for kind in kinds])
        scale = self._scale(scored.own_units)[at]
        scores = scored.of_kinds[np.ix_(at, rows)] * scale[:, None]
        return build_features(scores, scored.blended[rows], history.item_idx.size)

    def _scale(self, own_units: F32) -> F32:
        """(n_kinds,): one over the unit of each kind, 0 where that is 0."""
        known = self.params.get("units")
        names = self.evidence.kinds
        units = own_units if known is None else np.array([known.get(name, 0.0) for name in names])
        return np.asarray((units > TINY) / np.maximum(units, TINY), dtype=np.float32)

    def _read(
        self,
        history_ids: Sequence[int] | I64,
        ratings: Sequence[float | None] | F32,
        rating_strength: float,
        events: EventBooks = NO_EVENTS,
    ) -> History:
        history = read_history(
            self.book_ids, history_ids, ratings, rating_strength=rating_strength, events=events
        )
        if not history.item_idx.size:
            raise NoKnownBooks(history_ids)
        return history

    def _shares(self, history: History, wanted: I64) -> F64:
        """(n_asked, n_history): what each book of the history brings to each score; rows sum to 1 or 0."""
        total = np.zeros((wanted.size, history.item_idx.size))
        weights = self._blend * self._scale(self.score_raw(history)[1])
        for kind, weight in zip(self.evidence.kinds.values(), weights, strict=True):
            if weight and (brought := kind.explain(history, wanted)) is not None:
                total += brought * weight
        is_reason = (history.weights > 0) & ~np.isin(history.item_idx, self.hidden)
        is_reason = is_reason & (history.item_idx != wanted[:, None])
        total = np.where(is_reason, np.maximum(total, 0), 0)
        return np.asarray(total / np.maximum(total.sum(axis=1, keepdims=True), TINY))

    def _strongest(self, history: History, shares: F64, k: int) -> list[tuple[int, float]]:
        best = top_k(np.where(shares > 0, shares, -np.inf), k)
        return [(int(self.book_ids[history.item_idx[at]]), float(shares[at])) for at in best]

    @cached_property
    def _blend(self) -> F32:
        weights = self.params["blend"]
        return np.array([weights.get(name, 0.0) for name in self.evidence.kinds], dtype=np.float32)

    def _reblend(self, popularity_weight: float | None) -> F32:
        """(n_kinds,): the tuned weights, but this share of popularity, where there is one."""
        if popularity_weight is None:
            return self._blend
        is_popularity = np.array([name == POPULARITY for name in self.evidence.kinds])
        personal = np.where(is_popularity, 0, self._blend)
        personal = (1 - popularity_weight) * (personal / np.maximum(personal.sum(), TINY))
        return np.where(is_popularity, popularity_weight, personal).astype(np.float32)
