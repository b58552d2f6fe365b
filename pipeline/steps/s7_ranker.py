"""Step 7: learns on a fold inside the train fold how lists are ordered: the blend, and maybe a ranker."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from evidence.kind import Kind
from evidence.registry import Evidence
from foundation.arrays import F64, I64, Mask, find_starts
from foundation.serving_rules import ServingRules
from foundation.tools import Tools
from pipeline.draws import CROSS_SALT, draw
from pipeline.evaluation.intervals import bootstrap_mean
from pipeline.evaluation.lists import READ_AHEAD, limit_rows, list_authors
from pipeline.evaluation.metrics import NDCG_K, ndcg_at_k, recall_at_k
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.fold_models import BlendParams, build_als
from pipeline.ranking.blend import Blend, tune_blend
from pipeline.ranking.boosted_trees import Examples, grow_trees
from pipeline.records import Fold, Interactions
from pipeline.settings import RankerParams
from servers.als.model import AlsModel
from servers.als.ranker import Ranker, list_directions, order_by
from servers.als.trees import Trees

SHARE_OF_OTHERS: Final = 1 / 3
"""Of candidates that are no hits, drawn at random: more cost time and teach nothing new."""
MIN_HITS: Final = 500
"""Of fewer hits among all candidates, trees learn chance."""

BOTH: Final = "both"
"""The name of what decides: the sum of recall@k and NDCG@10, which the blend is tuned to as well."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """How lists are ordered."""

    blend: Blend
    ranker: Ranker | None
    """None where it was not surely better than the blend."""
    gains: dict[str, Any]
    """Intervals of what a ranker gains over the blend, with readers new to it; empty if none was tried."""

    @property
    def params(self) -> BlendParams:
        """As an AlsModel has them."""
        return self.blend.params


@dataclass(frozen=True, eq=False)
class _Candidates:
    """What a ranker would reorder for each reader."""

    item_idx: list[I64]
    """Rows of each reader's candidates, best first by the blend."""
    examples: Examples


def learn_ranking(
    fold: Fold,
    held_out: Interactions,
    evidence: Evidence,
    *,
    params: RankerParams,
    rules: ServingRules,
    seed: int,
    tools: Tools,
) -> Ranking:
    """The blend with the best lists on held-out books, and a ranker if that is surely better than it."""
    first_half = replace(tools, advance=lambda share: tools.advance(share / 2))
    blend = tune_blend(fold, held_out, evidence, params=params, rules=rules, tools=first_half)
    users = choose_users(fold, held_out, at_most=params.max_users)
    model = build_als(fold, evidence, blend.params)
    second_half = replace(tools, advance=lambda share: tools.advance((1 + share) / 2))
    candidates = _collect_candidates(model, users, params.k * READ_AHEAD, rules, second_half)
    n_hits = int(candidates.examples.is_hit.sum())
    if n_hits < MIN_HITS or not params.n_trees:
        return Ranking(blend, None, {})

    def grow(is_seen: Mask) -> Trees:
        return _grow(candidates.examples, is_seen, evidence, params.n_trees, seed, tools.threads)

    orders = _cross_order(candidates, users, grow)
    gains = _measure_gains(orders, candidates.item_idx, model, users, params.k, rules, seed)
    if gains[BOTH]["low"] <= 0:
        return Ranking(blend, None, gains)
    trees = grow(np.ones(users.size, dtype=bool))
    return Ranking(blend, Ranker(trees, params.k * READ_AHEAD, list(evidence.kinds)), gains)


def _collect_candidates(
    model: AlsModel, users: EvaluationUsers, n: int, rules: ServingRules, tools: Tools
) -> _Candidates:
    item_idx, features, is_hit = [], [], []
    for at, (history, ratings) in enumerate(zip(users.histories, users.ratings, strict=True)):
        found = model.find_candidates(
            history, ratings, n=n, rating_strength=rules.rating_strength, events=users.events_of(at)
        )
        item_idx.append(found.item_idx)
        features.append(found.features)
        is_hit.append(np.isin(model.book_ids[found.item_idx], users.held_out[at]))
        tools.advance((at + 1) / users.size)
    user_idx = np.repeat(np.arange(users.size), [each.size for each in item_idx])
    return _Candidates(item_idx, Examples(np.concatenate(features), np.concatenate(is_hit), user_idx))


def _grow(
    examples: Examples, is_seen: Mask, evidence: Evidence, n_trees: int, seed: int, threads: int
) -> Trees:
    """Trees that have seen these readers, (n_users,), alone."""
    has_hit = np.bincount(examples.user_idx, examples.is_hit, minlength=is_seen.size) > 0
    is_drawn = np.random.default_rng(seed).random(examples.is_hit.size) < SHARE_OF_OTHERS
    # A reader without a hit teaches nothing, since all candidates are equally wrong.
    rows = np.flatnonzero((is_seen & has_hit)[examples.user_idx] & (examples.is_hit | is_drawn))
    taken = Examples(examples.features[rows], examples.is_hit[rows], examples.user_idx[rows])
    is_personal = [type(kind).explain is not Kind.explain for kind in evidence.kinds.values()]
    directions = list_directions(is_personal)
    return grow_trees(taken, directions=directions, n_trees=n_trees, seed=seed, threads=threads)


def _cross_order(candidates: _Candidates, users: EvaluationUsers, grow: Callable[[Mask], Trees]) -> list[I64]:
    """Each reader's candidates as trees order them that have seen the other half of the readers."""
    is_first = draw(users.user_ids, np.zeros_like(users.user_ids), CROSS_SALT) < 0.5
    seen_by_other, seen_by_one = grow(is_first), grow(~is_first)
    starts = find_starts(candidates.examples.user_idx, users.size)
    orders = []
    for at, rows in enumerate(candidates.item_idx):
        trees = seen_by_one if is_first[at] else seen_by_other
        features = candidates.examples.features[starts[at] : starts[at + 1]]
        orders.append(rows[order_by(trees, features)])
    return orders


def _measure_gains(
    orders: list[I64],
    others: list[I64],
    model: AlsModel,
    users: EvaluationUsers,
    k: int,
    rules: ServingRules,
    seed: int,
) -> dict[str, Any]:
    """Intervals of the paired gains of recall@k, of NDCG@10 and of both together, as the lists are served."""
    authors = list_authors(model)

    def measure(ranked: list[I64]) -> tuple[F64, F64]:
        served = [model.book_ids[limit_rows(rows, authors, k, rules)] for rows in ranked]
        return recall_at_k(served, users.held_out, k), ndcg_at_k(served, users.held_out, NDCG_K)

    recall, ndcg = (gained - had for gained, had in zip(measure(orders), measure(others), strict=True))
    figures = {f"recall@{k}": recall, f"ndcg@{NDCG_K}": ndcg, BOTH: recall + ndcg}
    return {name: asdict(bootstrap_mean(gain, np.random.default_rng(seed))) for name, gain in figures.items()}
