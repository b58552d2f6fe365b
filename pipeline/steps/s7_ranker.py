"""Step 7: learns on a fold inside the train fold how lists are ordered: the blend, and maybe a ranker."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from evidence.registry import Evidence
from foundation.arrays import F64, I64, Mask, find_starts
from foundation.author_limit import READ_AHEAD
from foundation.serving_rules import ServingRules
from foundation.tools import Tools
from pipeline.draws import FOLD_SALT, draw
from pipeline.evaluation.intervals import bootstrap_mean
from pipeline.evaluation.lists import limit_rows, list_authors
from pipeline.evaluation.metrics import NDCG_K, ndcg_at_k, recall_at_k
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.fold_models import BlendParams, build_als
from pipeline.ranking.blend import Blend, tune_blend
from pipeline.ranking.boosted_trees import Examples, grow_trees
from pipeline.records import Fold, Interactions
from pipeline.settings import RankerParams
from servers.als.model import AlsModel
from servers.als.ranker import BLEND, BLEND_WEIGHT, Ranker, list_directions

SHARE_OF_OTHERS: Final = 0.15
"""Of candidates that are no hits, drawn at random: more cost time and teach nothing new."""
MIN_HITS: Final = 3000
"""Of fewer hits among all candidates trees learn chance: 2,600 of the demo were not surely enough."""

MAX_USERS: Final = 10_000
"""Readers that a ranker learns from: there can hardly be too many, but each takes time."""
N_PARTS: Final = 4
"""Of the readers: each is judged by a ranker that has seen the others."""
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
class Candidates:
    """What the blend puts first for each reader, which a ranker may reorder."""

    model: AlsModel
    users: EvaluationUsers
    item_idx: list[I64]
    """Rows of each reader's candidates, best first."""
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
    if not params.n_trees:
        return Ranking(blend, None, {})
    model = build_als(fold, evidence, blend.params)
    users = choose_users(fold, held_out, at_most=MAX_USERS)
    second_half = replace(tools, advance=lambda share: tools.advance((1 + share) / 2))
    candidates = collect_candidates(model, users, params.k * READ_AHEAD, rules, second_half)
    if candidates.examples.is_hit.sum() < MIN_HITS:
        return Ranking(blend, None, {})
    grow = partial(grow_ranker, candidates, n_trees=params.n_trees, seed=seed, threads=tools.threads)
    reordered = _reorder_unseen(candidates, grow)
    gains = _measure_gains(candidates, reordered, params.k, rules, seed)
    is_better = gains[BOTH]["low"] > 0
    return Ranking(blend, grow(np.ones(users.size, dtype=bool)) if is_better else None, gains)


def collect_candidates(
    model: AlsModel, users: EvaluationUsers, n: int, rules: ServingRules, tools: Tools
) -> Candidates:
    """Each reader's n best by the blend, found as a ranker is given them when it serves."""
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
    examples = Examples(np.concatenate(features), np.concatenate(is_hit), user_idx)
    return Candidates(model, users, item_idx, examples)


def grow_ranker(candidates: Candidates, is_seen: Mask, *, n_trees: int, seed: int, threads: int) -> Ranker:
    """A ranker that has seen these readers, (n_users,), alone."""
    features, is_hit, user_idx = candidates.examples
    has_hit = np.bincount(user_idx, is_hit, minlength=is_seen.size) > 0
    is_drawn = np.random.default_rng(seed).random(is_hit.size) < SHARE_OF_OTHERS
    # A reader without a hit teaches nothing, since all candidates are equally wrong.
    rows = np.flatnonzero((is_seen & has_hit)[user_idx] & (is_hit | is_drawn))
    evidence = candidates.model.evidence
    figures = evidence.figure_names
    trees = grow_trees(
        Examples(features[rows], is_hit[rows], user_idx[rows]),
        base=BLEND_WEIGHT * features[rows, BLEND],
        directions=list_directions([kind.personal for kind in evidence.kinds.values()], len(figures)),
        n_trees=n_trees, seed=seed, threads=threads,
    )  # fmt: skip
    n_candidates = max(each.size for each in candidates.item_idx)
    return Ranker(trees, n_candidates, list(evidence.kinds), BLEND_WEIGHT, figures)


def _reorder_unseen(candidates: Candidates, grow: Callable[[Mask], Ranker]) -> list[I64]:
    """Each reader's candidates as a ranker orders them that has seen the readers of all other parts."""
    user_ids, (features, _, user_idx) = candidates.users.user_ids, candidates.examples
    part = (N_PARTS * draw(user_ids, np.zeros_like(user_ids), FOLD_SALT)).astype(np.int64)
    rankers = [grow(part != each) for each in range(N_PARTS)]
    starts = find_starts(user_idx, user_ids.size)
    return [
        rows[rankers[part[at]].order(features[starts[at] : starts[at + 1]])]
        for at, rows in enumerate(candidates.item_idx)
    ]


def _measure_gains(
    candidates: Candidates, reordered: list[I64], k: int, rules: ServingRules, seed: int
) -> dict[str, Any]:
    """Intervals of the paired gains of recall@k, of NDCG@10 and of both together, as the lists are served."""
    model, held_out = candidates.model, candidates.users.held_out
    authors = list_authors(model)

    def measure(ranked: list[I64]) -> tuple[F64, F64]:
        served = [model.book_ids[limit_rows(rows, authors, k, rules)] for rows in ranked]
        return recall_at_k(served, held_out, k), ndcg_at_k(served, held_out, NDCG_K)

    (recall, ndcg), (former_recall, former_ndcg) = measure(reordered), measure(candidates.item_idx)
    gains = {f"recall@{k}": recall - former_recall, f"ndcg@{NDCG_K}": ndcg - former_ndcg}
    gains[BOTH] = sum(gains.values(), np.zeros_like(recall))
    return {name: asdict(bootstrap_mean(gain, np.random.default_rng(seed))) for name, gain in gains.items()}
