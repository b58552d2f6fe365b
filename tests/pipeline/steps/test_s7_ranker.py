"""A ranker is judged by readers that it has not seen, ships where it wins, and is served as it was grown."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from artifacts.records import open_record, save_record
from evidence.als import AlsParams
from evidence.registry import Evidence, EvidenceParams
from foundation.arrays import F32, I64, Mask
from foundation.serving_rules import ServingRules
from foundation.tools import Tools
from pipeline.evaluation.users import choose_users
from pipeline.models.fold_models import build_als
from pipeline.records import Split
from pipeline.settings import AggregateParams, RankerParams, SplitParams
from pipeline.steps import s7_ranker
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s6_als import fit_evidence
from pipeline.steps.s7_ranker import BOTH, Ranking, learn_ranking
from servers.als.model import AlsModel
from tests.pipeline.catalogs import club_pairs, club_works
from tests.pipeline.conftest import opened_home

TOOLS = Tools(1, lambda share: None, Path())
RULES = ServingRules()
PARAMS = RankerParams(k=5, n_trees=5)


@dataclass(frozen=True)
class Inner:
    """The folds of reading clubs, and the evidence of the inner one."""

    folds: Split
    evidence: Evidence

    def learn(self, params: RankerParams = PARAMS) -> Ranking:
        return learn_ranking(
            self.folds.inner, self.folds.inner_held_out, self.evidence,
            params=params, rules=RULES, seed=3, tools=TOOLS,
        )  # fmt: skip


@pytest.fixture(scope="module")
def inner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inner]:
    pairs = club_pairs(np.random.default_rng(0))
    with opened_home(tmp_path_factory.mktemp("clubs"), club_works(), pairs) as home:
        catalog = export(home.db)
        folds = split(clean(catalog), params=SplitParams())
    figures = aggregate(folds.inner, params=AggregateParams())
    params = EvidenceParams(als=AlsParams(n_factors=8, n_iterations=3))
    yield Inner(folds, fit_evidence(folds.inner, figures, catalog, params=params, seed=3, tools=TOOLS))


def test_where_too_few_hits_teach_anything_the_blend_orders_lists(inner: Inner) -> None:
    ranking = inner.learn()

    assert (ranking.ranker, ranking.gains) == (None, {})
    assert sum(ranking.blend.weights.values()) == pytest.approx(1)


def test_without_trees_there_is_no_ranker(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s7_ranker, "MIN_HITS", 1)

    assert inner.learn(PARAMS.model_copy(update={"n_trees": 0})).ranker is None


@pytest.mark.parametrize(("low", "ships"), [(0.001, True), (0.0, False), (-0.001, False)])
def test_a_ranker_ships_only_if_it_is_surely_better(
    inner: Inner, monkeypatch: pytest.MonkeyPatch, low: float, ships: bool
) -> None:
    gains = {BOTH: {"mean": 0.01, "low": low, "high": 0.02}}
    monkeypatch.setattr(s7_ranker, "MIN_HITS", 1)
    monkeypatch.setattr(s7_ranker, "_measure_gains", lambda *given: gains)

    ranking = inner.learn()

    assert (ranking.ranker is not None, ranking.gains) == (ships, gains)


def test_a_ranker_that_changes_nothing_does_not_ship(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s7_ranker, "MIN_HITS", 1)
    monkeypatch.setattr(s7_ranker, "_reorder_unseen", lambda candidates, grow: candidates.item_idx)

    ranking = inner.learn()

    assert ranking.ranker is None
    assert ranking.gains[BOTH] == {"mean": 0, "low": 0, "high": 0}


def test_no_reader_is_judged_by_a_ranker_that_has_seen_them(inner: Inner) -> None:
    users = choose_users(inner.folds.inner, inner.folds.inner_held_out, at_most=100)
    model = build_als(inner.folds.inner, inner.evidence, inner.learn().params)
    candidates = s7_ranker.collect_candidates(model, users, 50, RULES, TOOLS)
    numbers = np.repeat(candidates.examples.user_idx[:, None], 2, axis=1).astype(np.float32)
    numbered = replace(candidates, examples=candidates.examples._replace(features=numbers))
    judged = list[int]()

    class Watcher:
        def __init__(self, is_seen: Mask) -> None:
            self.is_seen = is_seen

        def order(self, features: F32) -> I64:
            [user] = set(features[:, 0].astype(int).tolist())
            assert not self.is_seen[user]
            judged.append(user)
            return np.arange(len(features))

    s7_ranker._reorder_unseen(numbered, Watcher)  # type: ignore[arg-type]

    assert judged == list(range(users.size))


def test_a_ranker_is_served_as_it_was_grown(
    inner: Inner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(s7_ranker, "MIN_HITS", 1)
    monkeypatch.setattr(s7_ranker, "_measure_gains", lambda *given: {BOTH: {"low": 1.0}})
    ranking = inner.learn()
    model = build_als(inner.folds.inner, inner.evidence, ranking.params, ranking.ranker)

    save_record(model, tmp_path / "als")
    opened = open_record(AlsModel, tmp_path / "als")

    for user in range(5):
        history, ratings = inner.folds.inner.history(user)
        for kept, read in zip(
            model.rank(history, ratings, k=20), opened.rank(history, ratings, k=20), strict=True
        ):
            np.testing.assert_array_equal(kept, read)
