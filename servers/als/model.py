"""Ranks books for a reader from their history: all kinds of evidence, blended, and the best reordered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from evidence.kind import NO_EVENTS, TINY, EventBooks, History, read_history
from evidence.registry import Evidence
from foundation.arrays import F32, F64, I64, Chosen, Mask, find_rows, top_k
from foundation.author_limit import READ_AHEAD, limit_authors
from servers.als.candidates import MOST_WANTED, CandidateFinder, score_all
from servers.als.new_books import NewBooks
from servers.als.newcomers import Newcomers, Told
from servers.als.ranker import Candidates, Ranker, build_features
from servers.errors import NoKnownBooks, NoKnownFavourites

POPULARITY: Final = "popularity"
"""The kind whose share of the blend a request may choose."""


class _Scored(NamedTuple):
    """What a reader's history says of the books that may be shown first."""

    chosen: Chosen
    of_kinds: F32
    """(n_kinds, n_chosen), in units of the kinds' own."""
    scale: F32
    """(n_kinds,): one over the units of the blend."""
    blended: F32
    """(n_chosen,), -inf for those that may not be shown."""


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
        author_limit: int | None = None,
    ) -> tuple[I64, F32]:
        """The k best shown books for whoever has this history, ids and scores, best first, ties by id.

        A score of 1 is what a book has that all kinds of evidence put first for a typical reader; what
        readers of the history seldom read is near 0 or below. A ranker deals the scores of its candidates
        out anew. Books of events count as far as their weights say. A new book of an author whom the reader
        loves comes up. Neither the history nor `exclude` comes back, books of events may; fewer than k only
        if the version knows no more. `popularity_weight` replaces the share of popularity in the tuned blend,
        and no ranker reorders that. With an author limit books of one author are spread as it says. Raises
        NoKnownBooks.
        """
        history = self._read(history_ids, ratings, rating_strength, events)
        unwanted = exclude if with_history else np.concatenate([history_ids, exclude])
        ranker = self.ranker if popularity_weight is None else None
        n = max(_reach(k, author_limit), ranker.n_candidates if ranker else 0)
        scored = self._score(history, unwanted, n, popularity_weight)
        best = top_k(scored.blended, n)
        if ranker:
            best = self._rerank(ranker, scored, best, history)
        if self.new_books is not None:
            best = self.new_books.lift(best, scored.chosen, scored.blended, history, self.evidence.authors)
        return self._list(best, scored.chosen, scored.blended, k, author_limit)

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
        scored = self._score(history, history_ids, n, None)
        best = top_k(scored.blended, n)
        kinds, figures = list(self.evidence.kinds), self.evidence.figure_names
        features = self._describe(best, scored, history, kinds, figures)
        return Candidates(scored.chosen.rows[best], features)

    def rank_new(
        self,
        told: Told,
        *,
        k: int,
        exclude: Sequence[int] | I64 = (),
        popularity_weight: float | None = None,
        author_limit: int | None = None,
    ) -> tuple[I64, F32]:
        """The k best shown books for a reader without a history, ids and scores, best first, ties by id.

        `popularity_weight` replaces the share of popularity in the tuned blend. With an author limit books of
        one author are spread as it says. Raises NoKnownFavourites.
        """
        if self.newcomers is None or (found := self.newcomers.find(told, self.evidence)) is None:
            raise NoKnownFavourites
        weights = np.array(list(self.newcomers.weigh(popularity_weight).values()), dtype=np.float32)
        unwanted = find_rows(self.book_ids, exclude)[1]
        parts = list(found.values())
        n = _reach(k, author_limit)
        chosen = self._finder.choose(parts, weights, n, unwanted)
        scores = self._hide(weights @ score_all(parts, chosen), chosen, unwanted)
        return self._list(top_k(scores, n), chosen, scores, k, author_limit)

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

    @cached_property
    def is_shown(self) -> Mask:
        """(n,): whether readers may be shown the book."""
        return np.ones(self.book_ids.size, dtype=bool) if self.shown is None else self.shown

    @cached_property
    def hidden(self) -> I64:
        """Rows of the books that are evidence only."""
        return np.empty(0, dtype=np.int64) if self.shown is None else np.flatnonzero(~self.shown)

    def scans(self, n: int) -> bool:
        """Whether the n best are looked for among all books."""
        return self._tuned_scale is None or self._finder.scans(n)

    def score_kinds(self, history: History) -> F32:
        """(n_kinds, n): each kind's scores of every book, in the units of the blend."""
        return self.score_raw(history)[0] * self._scale(history)[:, None]

    def score_raw(self, history: History) -> tuple[F32, F32]:
        """(n_kinds, n): each kind's scores of every book; (n_kinds,): their units for this reader alone."""
        kinds = self.evidence.kinds.values()
        scores = np.empty((len(kinds), self.book_ids.size), dtype=np.float32)
        units = np.empty(len(kinds), dtype=np.float32)
        for at, kind in enumerate(kinds):
            scores[at], units[at] = kind.score(history)
        return scores, units

    def _score(
        self,
        history: History,
        unwanted_ids: Sequence[int] | I64,
        n: int,
        popularity_weight: float | None,
    ) -> _Scored:
        """What the n best that are wanted are among."""
        unwanted = find_rows(self.book_ids, unwanted_ids)[1]
        scale = self._scale(history)
        weights: F32 = self._reblend(popularity_weight) * scale
        found = [kind.find(history) for kind in self.evidence.kinds.values()]
        chosen = self._finder.choose(found, weights, n, unwanted)
        scores = score_all(found, chosen)
        return _Scored(chosen, scores, scale, self._hide(weights @ scores, chosen, unwanted))

    def _hide(self, scores: F32, chosen: Chosen, unwanted: I64) -> F32:
        """(n_chosen,): these scores, -inf for those that may not be shown."""
        scores[~chosen.take(self.is_shown)] = -np.inf
        scores[find_rows(chosen.rows, unwanted)[1]] = -np.inf
        return scores

    def _list(
        self, best: I64, chosen: Chosen, scores: F32, k: int, author_limit: int | None
    ) -> tuple[I64, F32]:
        """Ids and scores of k of these places, best first."""
        if author_limit is not None:
            authors = self.evidence.authors.of_each(chosen.rows[best])
            best = best[limit_authors(authors, k, most=author_limit)]
        return self.book_ids[chosen.rows[best[:k]]], np.minimum.accumulate(scores[best[:k]])

    def _rerank(self, ranker: Ranker, scored: _Scored, best: I64, history: History) -> I64:
        """These places anew, best first; the candidates' scores are dealt out anew, the best to the first."""
        first = best[: ranker.n_candidates]
        order = ranker.order(self._describe(first, scored, history, ranker.kinds, ranker.figures))
        reordered = first[order]
        scored.blended[reordered] = scored.blended[first]
        return np.concatenate([reordered, best[first.size :]])

    def _describe(
        self, places: I64, scored: _Scored, history: History, kinds: Sequence[str], figures: Sequence[str]
    ) -> F32:
        """(n, n_features): what a ranker that looks at these kinds and figures is given of these books."""
        known = list(self.evidence.kinds)
        at = np.array([known.index(kind) for kind in kinds])
        scores = scored.of_kinds[np.ix_(at, places)] * scored.scale[at, None]
        compared = self.evidence.compare_figures(figures, scored.chosen.rows[places], history)
        return build_features(scores, scored.blended[places], history.item_idx.size, compared)

    def _scale(self, history: History) -> F32:
        """(n_kinds,): one over the unit of each kind, 0 where that is 0; the reader's own before 0.7.0."""
        return _invert(self.score_raw(history)[1]) if self._tuned_scale is None else self._tuned_scale

    @cached_property
    def _tuned_scale(self) -> F32 | None:
        """(n_kinds,); None before 0.7.0."""
        units = self.params.get("units")
        return (
            None if units is None else _invert(np.array([units.get(name, 0) for name in self.evidence.kinds]))
        )

    @cached_property
    def _finder(self) -> CandidateFinder:
        return CandidateFinder.build(self.evidence, self.is_shown)

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
        weights = self._blend * self._scale(history)
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


def _reach(k: int, author_limit: int | None) -> int:
    """How many of the best a list of k books is chosen from."""
    return k if author_limit is None else max(k, min(READ_AHEAD * k, MOST_WANTED))


def _invert(units: F32 | F64) -> F32:
    """One over each, 0 where that is 0."""
    return np.asarray((units > TINY) / np.maximum(units, TINY), dtype=np.float32)
