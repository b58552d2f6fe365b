"""Learns how much each kind of evidence should count, on a fold inside the train fold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from evidence.kind import TINY, read_history
from evidence.registry import Evidence
from foundation.arrays import F32, I64, Mask, find_rows, top_k
from foundation.author_limit import READ_AHEAD, Authors, limit_authors
from foundation.serving_rules import ServingRules
from foundation.tools import Advance, Tools
from pipeline.evaluation.lists import list_authors
from pipeline.evaluation.metrics import NDCG_K, ndcg_of_hits
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.fold_models import BlendParams, build_als
from pipeline.records import Fold, Interactions
from pipeline.settings import RankerParams
from servers.als.model import POPULARITY, AlsModel

FACTORS: Final = (0.0, 0.5, 0.71, 1.41, 2.0)
"""What a weight is tried to be multiplied by."""
NEW_WEIGHTS: Final = (0.05, 0.2)
"""What a weight of zero is tried to be set to."""
MIN_GAIN: Final = 1.0
"""A smaller gain is noise: of recall and NDCG together, summed over the readers."""
FIXED: Final = "ease"
"""Only ratios of weights matter to an order, so one of them stays."""
TIE_BREAK: Final = 0.001
"""Least weight of popularity: where nothing else speaks, the most read comes first, not the lowest id."""

Objective = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True, eq=False)
class Blend:
    """The tuned weights of the kinds of evidence; they sum to 1."""

    weights: dict[str, float]
    units: dict[str, float]
    """What the scores of each kind are divided by: the median of readers' own units."""
    recall: float
    """recall@k on the inner fold with these weights."""
    alone: dict[str, float]
    """recall@k on the inner fold by each kind of evidence alone."""

    @property
    def params(self) -> BlendParams:
        """As an AlsModel has them."""
        return {"blend": self.weights, "units": self.units}


@dataclass(frozen=True, eq=False)
class _Candidates:
    """The books that any kind of evidence puts high for each user, padded to one width."""

    units: dict[str, float]
    scores: F32
    """(n_kinds, n_users, width), in these units; -inf where padded."""
    is_hit: Mask
    """(n_users, width): held out by the user."""
    authors: list[list[Authors]]
    """Of each candidate of each user."""
    n_held_out: I64
    """(n_users,)."""


def tune_blend(
    fold: Fold,
    held_out: Interactions,
    evidence: Evidence,
    *,
    params: RankerParams,
    rules: ServingRules,
    tools: Tools,
) -> Blend:
    """Search for the weights with the largest recall@k + NDCG@10 on held-out books, author limit included."""
    users = choose_users(fold, held_out, at_most=params.max_users)
    model = build_als(fold, evidence, {})
    candidates = _collect_candidates(model, users, params=params, rules=rules, advance=tools.advance)
    measure = partial(_measure, candidates, k=params.k, rules=rules)
    new_kinds = {kind: 0.0 for kind in candidates.units if kind not in params.start}
    weights, _ = ascend_coordinates(
        lambda tried: sum(measure(tried)), {**params.start, **new_kinds}, min_gain=MIN_GAIN / users.size
    )
    weights[POPULARITY] = max(weights[POPULARITY], TIE_BREAK)
    total = sum(weights.values())
    return Blend(
        weights={kind: weights[kind] / total for kind in candidates.units},
        units=candidates.units,
        recall=measure(weights)[0],
        alone={kind: measure({kind: 1.0})[0] for kind in candidates.units},
    )


def ascend_coordinates(
    objective: Objective, start: Mapping[str, float], *, min_gain: float, n_rounds: int = 3
) -> tuple[dict[str, float], float]:
    """Weights and objective after changing one weight at a time for as long as that gains min_gain."""
    weights, best = dict(start), objective(start)
    for _ in range(n_rounds):
        before = best
        for kind in [kind for kind in start if kind != FIXED]:
            tries = [weights[kind] * factor for factor in FACTORS] if weights[kind] else NEW_WEIGHTS
            # Among equals the smallest weight wins.
            gained, lightness = max((objective({**weights, kind: value}), -value) for value in tries)
            if gained >= best + min_gain:
                best, weights[kind] = gained, -lightness
        if best == before:
            break
    return weights, best


def _collect_candidates(
    model: AlsModel, users: EvaluationUsers, *, params: RankerParams, rules: ServingRules, advance: Advance
) -> _Candidates:
    candidates, scores, own_units = [], [], []
    for at, (history_ids, ratings) in enumerate(zip(users.histories, users.ratings, strict=True)):
        history = read_history(
            model.book_ids, history_ids, ratings,
            rating_strength=rules.rating_strength, events=users.events_of(at),
        )  # fmt: skip
        of_all, units = model.score_raw(history)
        of_all[:, find_rows(model.book_ids, history_ids)[1]] = -np.inf
        of_all[:, model.hidden] = -np.inf
        best = np.unique(np.concatenate([top_k(row, params.n_candidates) for row in of_all]))
        candidates.append(best)
        scores.append(of_all[:, best])
        own_units.append(units)
        advance((at + 1) / users.size)
    units = find_typical(np.array(own_units))
    width = max(best.size for best in candidates)
    padded = np.full((units.size, users.size, width), -np.inf, dtype=np.float32)
    is_hit = np.zeros((users.size, width), dtype=bool)
    for at, best in enumerate(candidates):
        padded[:, at, : best.size] = scores[at] / units[:, None]
        is_hit[at, : best.size] = np.isin(model.book_ids[best], users.held_out[at])
    authors = list_authors(model)
    return _Candidates(
        units=dict(zip(model.evidence.kinds, units.tolist(), strict=True)),
        scores=padded,
        is_hit=is_hit,
        authors=[[authors[idx] for idx in best] for best in candidates],
        n_held_out=np.array([books.size for books in users.held_out]),
    )


def find_typical(own_units: F32) -> F32:
    """(n_kinds,): the median of the readers' units that are not 0; 1 where all are."""
    medians = [np.median(units[units > TINY]) if (units > TINY).any() else 1.0 for units in own_units.T]
    return np.array(medians, dtype=np.float32)


def _measure(
    candidates: _Candidates, weights: Mapping[str, float], k: int, rules: ServingRules
) -> tuple[float, float]:
    """Mean recall@k and NDCG@10 of the blend, as it is served."""
    vector = np.array([weights.get(kind, 0.0) for kind in candidates.units], dtype=np.float32)
    used = np.flatnonzero(vector)  # 0 · -inf would be NaN
    scores = np.tensordot(vector[used], candidates.scores[used], axes=1)
    depth = min(READ_AHEAD * k, scores.shape[1])
    ranked = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    order = np.argsort(-np.take_along_axis(scores, ranked, axis=1), axis=1, kind="stable")
    ranked = np.take_along_axis(ranked, order, axis=1)
    is_hit = np.zeros((len(ranked), max(k, NDCG_K)), dtype=bool)
    # What a limit takes up among books of which none is a hit need not be known.
    for at in np.flatnonzero(np.take_along_axis(candidates.is_hit, ranked, axis=1).any(axis=1)).tolist():
        columns, authors = ranked[at], candidates.authors[at]
        in_order = (authors[column] for column in columns.tolist() if column < len(authors))
        shown = limit_authors(in_order, k, most=rules.author_limit)
        is_hit[at, : len(shown)] = candidates.is_hit[at, columns[shown]]
    recall = is_hit.sum(axis=1) / np.minimum(k, candidates.n_held_out)
    return float(recall.mean()), float(ndcg_of_hits(is_hit, candidates.n_held_out, NDCG_K).mean())
