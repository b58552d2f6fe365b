"""Learns what favourites and traits tell of a reader's taste, from readers whose books are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from evidence.als import Als, fold_in
from evidence.registry import Evidence
from foundation.arrays import F32, I64, Chosen, Mask, find_rows, top_k
from foundation.author_limit import READ_AHEAD, Authors, limit_authors
from foundation.serving_rules import ServingRules
from pipeline.draws import USER_SALT, draw
from pipeline.evaluation.lists import list_authors
from pipeline.evaluation.metrics import NDCG_K, ndcg_of_hits
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.fold_models import build_als
from pipeline.models.profiles import Profiles, describe_readers
from pipeline.records import Export, Fold, Interactions
from pipeline.settings import NewcomersParams
from servers.als.model import AlsModel
from servers.als.newcomers import AUTHORS, POPULARITY, TASTE, Newcomers, sort_effects

START: Final = {TASTE: 1.0, AUTHORS: 0.6, POPULARITY: 0.05}
"""Weights that the search starts from; only ratios matter, so that of taste stays."""
TRIED: Final = {AUTHORS: (0.0, 0.3, 0.6, 1.0, 1.5, 2.5), POPULARITY: (0.001, 0.05, 0.15, 0.4, 1.0)}
"""Popularity is never silent: where nothing else speaks, the most read comes first, not the lowest id."""
N_CANDIDATES: Final = 300
"""Best books of each part that a reader's candidates are made of."""
TOLD_TOGETHER: Final = np.array([[1.5, 1.0, 1.5], [1.0, 1.5, 1.5], [1.5, 1.5, 2.2]])
"""How often subjects, authors and traits are told together: once all, .5 without either, .2 alone."""
N_PARTS: Final = 3
"""Parts of the tuning readers, each of which is shown what was learned without it."""


@dataclass(frozen=True, eq=False)
class NewcomerBlend:
    """How much taste, favourite authors and popularity should count for a reader without a history."""

    params: dict[str, Any]
    """As Newcomers has them."""
    recall: float
    """recall@k on the inner fold, by readers whom the effects were not learned from."""


def fit_newcomers(fold: Fold, evidence: Evidence, catalog: Export, *, params: NewcomersParams) -> Newcomers:
    """The effects of favourites and traits, not blended yet."""
    return _learn(_choose_teachers(fold, evidence, catalog, params), params)


def blend_newcomers(newcomers: Newcomers, blend: NewcomerBlend) -> Newcomers:
    """The same effects, blended as tuned."""
    return replace(newcomers, params=blend.params)


def tune_newcomers(
    fold: Fold,
    held_out: Interactions,
    evidence: Evidence,
    catalog: Export,
    *,
    params: NewcomersParams,
    rules: ServingRules,
) -> NewcomerBlend:
    """Search for the weights with the largest recall@k + NDCG@10 for readers whose history is hidden.

    Nobody's list comes from effects that were learned from them.
    """
    users = choose_users(fold, held_out, at_most=params.max_users)
    part = np.argsort(np.argsort(draw(users.user_ids, np.zeros_like(users.user_ids), USER_SALT))) % N_PARTS
    teachers = _choose_teachers(fold, evidence, catalog, params)
    model = build_als(fold, evidence, {})
    readers: list[_Reader] = []
    for each in range(N_PARTS):
        left_out = users.take(part == each)
        newcomers = _learn(teachers.without(left_out.user_ids), params)
        readers += _collect(model, newcomers, left_out, fold, catalog)
    trials = _Trials(readers, _find_units(readers))
    weights = dict(START)
    for name, values in TRIED.items() if readers else ():
        # Among equals the smallest weight wins.
        weights[name] = max(
            values,
            key=lambda value: (sum(_measure(trials, {**weights, name: value}, params.k, rules)), -value),
        )
    recall = _measure(trials, weights, params.k, rules)[0] if readers else 0.0
    total = sum(weights.values())
    blend = {name: weight / total for name, weight in weights.items()}
    return NewcomerBlend({"blend": blend, "units": trials.units}, recall)


def learn_effects(told: csr_array, factors: F32, sorts: I64, *, regularization: float) -> F32:
    """Effects (n_columns, n_factors) of a ridge regression of factors on what is told, both less their means.

    told are (n_users, n_columns), factors (n_users, n_factors), sorts (n_columns,) as of `sort_effects`.
    Each reader counts several times, as one who tells less: what is not told is as the mean reader has it.
    """
    n_users = max(1, told.shape[0])
    mean_told = told.sum(axis=0) / n_users
    mean = factors.sum(axis=0, dtype=np.float64) / n_users
    gram = (told.T @ told).toarray().astype(np.float64) - n_users * np.outer(mean_told, mean_told)
    moments = told.T @ factors - n_users * np.outer(mean_told, mean)
    sorts = np.minimum(sorts, 2)
    gram *= TOLD_TOGETHER[np.ix_(sorts, sorts)]
    moments *= TOLD_TOGETHER[sorts, sorts][:, None]
    gram[np.diag_indices_from(gram)] += regularization
    return np.asarray(cho_solve(cho_factor(gram), moments), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Teachers:
    """Readers with enough books to learn from."""

    user_ids: I64
    profiles: Profiles
    factors: F32
    """(n_users, n_factors)."""

    def without(self, user_ids: I64) -> "_Teachers":
        """All but these."""
        rows = np.flatnonzero(~np.isin(self.user_ids, user_ids))
        profiles = replace(self.profiles, told=self.profiles.told[rows])
        return _Teachers(self.user_ids[rows], profiles, self.factors[rows])


def _choose_teachers(fold: Fold, evidence: Evidence, catalog: Export, params: NewcomersParams) -> _Teachers:
    """Those with enough books whose hashes are smallest."""
    rows = np.flatnonzero(np.diff(fold.user_items.indptr) >= params.min_books)
    user_ids = fold.user_ids[rows]
    places = draw(user_ids, np.zeros_like(user_ids), USER_SALT)
    rows = np.sort(rows[np.lexsort((user_ids, places))[: params.max_readers]])
    user_ids, user_items = fold.user_ids[rows], fold.user_items[rows]
    return _Teachers(
        user_ids=user_ids,
        profiles=describe_readers(user_ids, user_items, fold.book_ids, catalog),
        factors=_fold_in_readers(evidence.als, user_items),
    )


def _learn(teachers: _Teachers, params: NewcomersParams) -> Newcomers:
    profiles = teachers.profiles
    kept = _choose_columns(profiles, params)
    told, n_teachers = profiles.told[:, kept], max(1, teachers.user_ids.size)
    n_subjects = len(profiles.subjects)
    n_favourites = n_subjects + profiles.author_ids.size
    is_author = (kept >= n_subjects) & (kept < n_favourites)
    author_ids = profiles.author_ids[kept[is_author] - n_subjects]
    traits = [profiles.traits[column - n_favourites] for column in kept[kept >= n_favourites]]
    subjects = [profiles.subjects[column] for column in kept[kept < n_subjects]]
    sorts = sort_effects(len(subjects), author_ids.size, traits)
    effects = learn_effects(told, teachers.factors, sorts, regularization=params.regularization)
    brought = (told.sum(axis=0) / n_teachers)[:, None] * effects
    means = np.zeros((max(2, sorts.max(initial=0) + 1), effects.shape[1]), dtype=np.float32)
    np.add.at(means, sorts, brought)
    return Newcomers(
        subjects=subjects,
        author_ids=author_ids,
        traits=traits,
        effects=effects,
        means=means,
        base=teachers.factors.sum(axis=0) / n_teachers,
        params={},
    )


def _choose_columns(profiles: Profiles, params: NewcomersParams) -> I64:
    """Columns that enough readers have, of authors the most frequent only, ascending."""
    counts = np.bincount(profiles.told.indices, minlength=profiles.told.shape[1])
    first = len(profiles.subjects)
    of_authors = slice(first, first + profiles.author_ids.size)
    dropped = np.argsort(-counts[of_authors], kind="stable")[params.max_authors :]
    counts[first + dropped] = 0
    return np.flatnonzero(counts >= params.min_readers)


def _fold_in_readers(als: Als, user_items: csr_array) -> F32:
    factors = np.empty((user_items.shape[0], als.item_factors.shape[1]), dtype=np.float32)
    for row in range(user_items.shape[0]):
        item_idx = user_items.indices[user_items.indptr[row] : user_items.indptr[row + 1]]
        liked = np.ones((1, item_idx.size), dtype=np.float32)
        factors[row] = fold_in(als.item_factors, als.gram, item_idx, liked, alpha=als.params["alpha"])[0]
    return factors


@dataclass(frozen=True, eq=False)
class _Reader:
    """The books that any part puts high for one reader."""

    scores: dict[str, F32]
    """Of each part, (n_candidates,)."""
    is_hit: Mask
    authors: list[Authors]
    n_held_out: int
    largest: dict[str, float]
    """Of each part's scores."""


@dataclass(frozen=True, eq=False)
class _Trials:
    readers: list[_Reader]
    units: dict[str, float]
    """Median over readers of each part's largest score."""


def _collect(
    model: AlsModel, newcomers: Newcomers, users: EvaluationUsers, fold: Fold, catalog: Export
) -> Iterator[_Reader]:
    """The readers who tell anything that is known."""
    rows = find_rows(fold.user_ids, users.user_ids)[1]
    profiles = describe_readers(users.user_ids, fold.user_items[rows], fold.book_ids, catalog)
    authors, everything = list_authors(model), Chosen.all(model.book_ids.size)
    for at, (history, held_out) in enumerate(zip(users.histories, users.held_out, strict=True)):
        found = newcomers.find(profiles.told_by(at), model.evidence)
        if found is None:
            continue
        parts = {name: np.asarray(part.score(everything), dtype=np.float32) for name, part in found.items()}
        unwanted = np.union1d(find_rows(model.book_ids, history)[1], model.hidden)
        shown = {name: _hide(part, unwanted) for name, part in parts.items()}
        best = np.unique(np.concatenate([top_k(part, N_CANDIDATES) for part in shown.values()]))
        yield _Reader(
            scores={name: part[best] for name, part in shown.items()},
            is_hit=np.isin(model.book_ids[best], held_out),
            authors=[authors[row] for row in best],
            n_held_out=held_out.size,
            largest={name: float(part.max()) for name, part in shown.items()},
        )


def _hide(scores: F32, rows: I64) -> F32:
    shown = scores.copy()
    shown[rows] = -np.inf
    return shown


def _find_units(readers: Sequence[_Reader]) -> dict[str, float]:
    """Of each part the median of readers' largest scores that are above 0; 1 where none is."""
    units = {}
    for name in START:
        largest = [reader.largest[name] for reader in readers if reader.largest[name] > 0]
        units[name] = float(np.median(largest)) if largest else 1.0
    return units


def _measure(trials: _Trials, weights: dict[str, float], k: int, rules: ServingRules) -> tuple[float, float]:
    """Mean recall@k and NDCG@10 of the blend, as it is served."""
    is_hit = np.zeros((len(trials.readers), max(k, NDCG_K)), dtype=bool)
    for at, reader in enumerate(trials.readers):
        scores = sum(weights[name] / trials.units[name] * part for name, part in reader.scores.items())
        ranked = top_k(np.asarray(scores), READ_AHEAD * k)
        shown = limit_authors((reader.authors[row] for row in ranked), k, most=rules.author_limit)
        is_hit[at, : len(shown)] = reader.is_hit[ranked[shown]]
    n_held_out = np.array([reader.n_held_out for reader in trials.readers])
    recall = is_hit[:, :k].sum(axis=1) / np.minimum(k, n_held_out)
    return float(recall.mean()), float(ndcg_of_hits(is_hit, n_held_out, NDCG_K).mean())
