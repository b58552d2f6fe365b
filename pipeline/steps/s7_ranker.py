"""Step 7: learns how much each kind of evidence should count, on a fold inside the train fold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from foundation.arrays import F32, F64, I64, Mask, top_k
from foundation.author_limit import Authors, limit_authors
from pipeline.evaluation.lists import READ_AHEAD, list_authors
from pipeline.evaluation.readers import Readers, choose_readers
from pipeline.interactions import Fold, Interactions
from pipeline.models.ranking import EVEN_BLEND, build_als_model
from pipeline.progress import Advance
from pipeline.settings import RankerParams
from pipeline.steps.s1_export import Export
from pipeline.steps.s4_aggregate import Aggregates
from pipeline.steps.s6_als import Als
from servers.als.model import EVIDENCE, AlsModel

FACTORS: Final = (0.0, 0.5, 0.71, 1.41, 2.0)
"""What a weight is tried to be multiplied by."""
NEW_WEIGHTS: Final = (0.05, 0.2)
"""What a weight of zero is tried to be set to."""
MIN_GAIN: Final = 2e-4
"""A smaller gain of recall is noise."""
FIXED: Final = "neighbours"
"""Only ratios of weights matter to an order, so one of them stays."""
TIE_BREAK: Final = 0.001
"""Least weight of popularity: where nothing else speaks, the most read comes first, not the lowest id."""

Objective = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True, eq=False)
class Blend:
    """The tuned weights of the kinds of evidence; they sum to 1."""

    weights: dict[str, float]
    recall: float
    """recall@k on the inner fold with these weights."""
    alone: dict[str, float]
    """recall@k on the inner fold by each kind of evidence alone."""


@dataclass(frozen=True, eq=False)
class _Candidates:
    """The books that any kind of evidence puts high for each reader, padded to one width."""

    evidence: F32
    """(n_kinds, n_readers, width); -inf where padded."""
    is_hit: Mask
    """(n_readers, width): held out by the reader."""
    authors: list[list[Authors]]
    """Of each candidate of each reader."""
    n_wanted: I64
    """(n_readers,): min(k, number held out)."""


def tune_blend(
    fold: Fold,
    held_out: Interactions,
    aggregates: Aggregates,
    als: Als,
    catalog: Export,
    *,
    params: RankerParams,
    advance: Advance,
) -> Blend:
    """Search for the weights with the largest mean recall@k, author limit included, on held-out books."""
    readers = choose_readers(fold, held_out, at_most=params.max_users)
    model = build_als_model(fold, als, aggregates, catalog, EVEN_BLEND)
    candidates = _collect(model, readers, params=params, advance=advance)

    def recall(weights: Mapping[str, float]) -> float:
        return float(_recall(candidates, weights, params.k).mean())

    weights, best = climb(recall, params.start)
    weights["popularity"] = max(weights["popularity"], TIE_BREAK)
    total = sum(weights.values())
    return Blend(
        weights={kind: weights[kind] / total for kind in EVIDENCE},
        recall=best,
        alone={kind: recall({kind: 1.0}) for kind in EVIDENCE},
    )


def climb(
    objective: Objective, start: Mapping[str, float], *, n_rounds: int = 3
) -> tuple[dict[str, float], float]:
    """Weights and objective after changing one weight at a time for as long as that gains MIN_GAIN."""
    weights, best = dict(start), objective(start)
    for _ in range(n_rounds):
        before = best
        for kind in [kind for kind in start if kind != FIXED]:
            tries = [weights[kind] * factor for factor in FACTORS] if weights[kind] else NEW_WEIGHTS
            # Among equals the smallest weight wins.
            gained, lightness = max((objective({**weights, kind: value}), -value) for value in tries)
            if gained >= best + MIN_GAIN:
                best, weights[kind] = gained, -lightness
        if best == before:
            break
    return weights, best


def _collect(model: AlsModel, readers: Readers, *, params: RankerParams, advance: Advance) -> _Candidates:
    item_idx, evidence = [], []
    for at, (history_ids, ratings) in enumerate(zip(readers.histories, readers.ratings, strict=True)):
        history, weights = model.weigh(history_ids, ratings)
        said = model.evidence(history, weights)
        said[:, history] = -np.inf
        best = np.unique(np.concatenate([top_k(row, params.n_candidates) for row in said]))
        item_idx.append(best)
        evidence.append(said[:, best])
        advance((at + 1) / readers.size)
    width = max(best.size for best in item_idx)
    padded = np.full((len(EVIDENCE), readers.size, width), -np.inf, dtype=np.float32)
    is_hit = np.zeros((readers.size, width), dtype=bool)
    for at, best in enumerate(item_idx):
        padded[:, at, : best.size] = evidence[at]
        is_hit[at, : best.size] = np.isin(model.book_ids[best], readers.held_out[at])
    authors = list_authors(model)
    return _Candidates(
        evidence=padded,
        is_hit=is_hit,
        authors=[[authors[idx] for idx in best] for best in item_idx],
        n_wanted=np.array([min(params.k, books.size) for books in readers.held_out]),
    )


def _recall(candidates: _Candidates, weights: Mapping[str, float], k: int) -> F64:
    """(n_readers,): recall@k of the blend, as it is served."""
    vector = np.array([weights.get(kind, 0.0) for kind in EVIDENCE], dtype=np.float32)
    used = np.flatnonzero(vector)  # 0 · -inf would be NaN
    scores = np.tensordot(vector[used], candidates.evidence[used], axes=1)
    depth = min(READ_AHEAD * k, scores.shape[1])
    ranked = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    order = np.argsort(-np.take_along_axis(scores, ranked, axis=1), axis=1, kind="stable")
    ranked = np.take_along_axis(ranked, order, axis=1)
    hits = np.empty(len(ranked))
    for at, (columns, authors) in enumerate(zip(ranked, candidates.authors, strict=True)):
        shown = limit_authors((authors[column] for column in columns if column < len(authors)), k)
        hits[at] = candidates.is_hit[at, columns[shown]].sum()
    return hits / candidates.n_wanted
