"""Step 9: measures the candidate on the held-out fold as it would be served, and judges it."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from artifacts.manifest import GateCheck, GateVerdict
from foundation.arrays import F64, I64
from foundation.serving_rules import ServingRules
from pipeline.current import Current, Rival
from pipeline.evaluation.intervals import bootstrap_mean
from pipeline.evaluation.learned import measure_own_gains, standardise
from pipeline.evaluation.lists import (
    SubjectsOf,
    list_subjects,
    name_favourites,
    read_popularity,
    serve_cold,
    serve_collaborative,
    serve_popular,
)
from pipeline.evaluation.metrics import NDCG_K, coverage_at_k, ndcg_at_k, recall_at_k
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.fold_models import FoldModels
from pipeline.models.subject_sets import collect_subject_sets
from pipeline.models.vector_index import ANN_K
from pipeline.records import Export, Split
from pipeline.settings import GateParams

MIN_Z: Final = 6.0
"""Chance passes one in a billion that know nothing; honest models had 19 to 47, shuffled ones 2.3 at most."""


@dataclass(frozen=True, eq=False)
class Contest:
    """What is judged, and the version in production that it is compared with."""

    candidate: FoldModels
    ann_recall: dict[str, float]
    """Of each approximate index of the candidate, against exact search."""
    current: Current


@dataclass(frozen=True, eq=False)
class Gate:
    """The verdict (a GateVerdict as JSON), and all figures of the evaluation."""

    verdict: dict[str, Any]
    metrics: dict[str, Any]

    def read_verdict(self) -> GateVerdict:
        """The verdict, typed."""
        return GateVerdict.model_validate(self.verdict)


@dataclass(frozen=True, eq=False)
class Measured:
    """Recall of each reader's list, (n_users,), by the candidate and by what it has to beat."""

    candidate: F64
    popularity: F64
    own_gains: F64
    """What learning says of each reader's held-out books, less what it says of them for others."""
    current: Current
    gain_over_current: F64 | None
    """Candidate minus rival, over the readers whose held-out books neither has seen; None without one."""
    ann_recall: dict[str, float]
    """Of each approximate index, against exact search."""


def gate(
    contest: Contest,
    folds: Split,
    catalog: Export,
    *,
    params: GateParams,
    rules: ServingRules,
    seed: int,
    accept_incomparable: bool,
) -> Gate:
    """Serve the held-out readers by the candidate, by what it has to beat, and by the current version."""
    users = choose_users(folds.train, folds.held_out, at_most=params.max_users)
    candidate, k = contest.candidate, params.k
    als = candidate.als
    subjects = list_subjects(catalog, rules)
    served = serve_collaborative(als, users, k, rules, subjects)
    recall = _recall(served, users, k)
    measured = Measured(
        candidate=recall,
        popularity=_recall(serve_popular(als.book_ids, read_popularity(als), users, k), users, k),
        own_gains=measure_own_gains(als, users),
        current=contest.current,
        gain_over_current=_gain_over(contest.current.rival, recall, users, k, rules, subjects),
        ann_recall=contest.ann_recall,
    )
    figures = {
        f"recall@{k}": recall,
        f"ndcg@{NDCG_K}": ndcg_at_k(served, users.held_out, NDCG_K),
        f"cold_recall@{k}": _cold_recall(candidate, users, catalog, k, rules),
        f"popularity_recall@{k}": measured.popularity,
    }
    if measured.gain_over_current is not None:
        figures[f"recall_gain_over_current@{k}"] = measured.gain_over_current
    intervals = {
        name: asdict(bootstrap_mean(values, np.random.default_rng(seed))) for name, values in figures.items()
    }
    verdict = judge(measured, params=params, seed=seed, accept_incomparable=accept_incomparable)
    return Gate(
        verdict=verdict.model_dump(mode="json"),
        metrics={
            **intervals,
            f"coverage@{k}": coverage_at_k(served, als.book_ids.size - als.hidden.size, k),
            f"ann_recall@{ANN_K}": contest.ann_recall,
            "n_readers": users.size,
            **als.params,
        },
    )


def judge(measured: Measured, *, params: GateParams, seed: int, accept_incomparable: bool) -> GateVerdict:
    """Passed only if no check fails; the lower ends of paired bootstrap intervals decide, not the means."""
    floor = f"recall less {params.floor_margin:g} × popularity's"
    over_floor = measured.candidate - params.floor_margin * measured.popularity
    return GateVerdict.of(
        _check_low_end("recall_over_popularity", floor, over_floor, seed),
        _check_learned(measured.own_gains),
        _check_current(measured, params, seed, accept_incomparable=accept_incomparable),
        *(_check_index(*each, params.min_ann_recall) for each in sorted(measured.ann_recall.items())),
    )


def _gain_over(
    rival: Rival | None,
    recall: F64,
    users: EvaluationUsers,
    k: int,
    rules: ServingRules,
    subjects: SubjectsOf,
) -> F64 | None:
    """Candidate minus rival for the readers of both; None without a rival."""
    if rival is None:
        return None
    is_common = np.isin(users.user_ids, rival.reader_ids)
    common = users.take(is_common)
    return recall[is_common] - _recall(serve_collaborative(rival.als, common, k, rules, subjects), common, k)


def _cold_recall(
    candidate: FoldModels, users: EvaluationUsers, catalog: Export, k: int, rules: ServingRules
) -> F64:
    book_ids = candidate.als.book_ids
    sets = collect_subject_sets(catalog.book_subjects, catalog.subjects, book_ids)
    favourites = name_favourites(sets, book_ids, users)
    return _recall(
        serve_cold(candidate, favourites, users, k, rules, list_subjects(catalog, rules)), users, k
    )


def _recall(served: list[I64], users: EvaluationUsers, k: int) -> F64:
    return recall_at_k(served, users.held_out, k)


def _check_current(
    measured: Measured, params: GateParams, seed: int, *, accept_incomparable: bool
) -> GateCheck:
    current, name = measured.current, "recall_over_current"
    if measured.gain_over_current is not None:
        what = f"recall less that of {current.version}, {current.how}"
        return _check_low_end(name, what, measured.gain_over_current, seed, threshold=-params.max_loss)
    if current.version is None:
        return _not_made(name, current.how, skipped=True)
    advice = "accepted by" if accept_incomparable else "to promote all the same, train with"
    detail = f"{current.version} cannot be compared with: {current.how}; {advice} --accept-incomparable"
    return _not_made("comparable_with_current", detail, skipped=accept_incomparable)


def _not_made(name: str, detail: str, *, skipped: bool) -> GateCheck:
    return GateCheck(name=name, value=None, threshold=None, passed=False, skipped=skipped, detail=detail)


def _check_learned(own_gains: F64) -> GateCheck:
    z = standardise(own_gains)
    detail = (
        f"standard errors by which learning scores held-out books higher for their own readers than for "
        f"others, over {own_gains.size} readers; near 0 if ratings tell nothing"
    )
    return GateCheck(name="learned_evidence", value=z, threshold=MIN_Z, passed=z > MIN_Z, detail=detail)


def _check_low_end(name: str, what: str, differences: F64, seed: int, *, threshold: float = 0.0) -> GateCheck:
    found = bootstrap_mean(differences, np.random.default_rng(seed))
    interval = f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
    detail = f"{what}, over {differences.size} readers: {interval}"
    passed = found.low > threshold
    return GateCheck(name=name, value=found.low, threshold=threshold, passed=passed, detail=detail)


def _check_index(name: str, recall: float, least: float) -> GateCheck:
    detail = "share of the exact nearest that the index finds"
    passed = recall >= least
    return GateCheck(name=f"ann_recall_{name}", value=recall, threshold=least, passed=passed, detail=detail)
