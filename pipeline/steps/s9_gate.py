"""Step 9: measures the candidate on the held-out fold as it would be served, and judges it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from artifacts.manifest import GateCheck, GateVerdict
from evidence.registry import EvidenceParams
from foundation.arrays import F64, Mask
from foundation.serving_rules import ServingRules
from foundation.tools import Tools
from pipeline.current import Current
from pipeline.evaluation.intervals import bootstrap_mean
from pipeline.evaluation.learned import measure_own_gains, standardise
from pipeline.evaluation.lists import read_popularity, serve_popular
from pipeline.evaluation.metrics import NDCG_K, recall_at_k
from pipeline.evaluation.slices import slice_by_history
from pipeline.evaluation.users import choose_users
from pipeline.judging.checks import check_least, not_made
from pipeline.judging.comparison import Slices, check_floor, check_losses
from pipeline.judging.completeness import check_complete
from pipeline.judging.figures import Figures, Measurer
from pipeline.judging.speed import compare_speed, measure_speed
from pipeline.judging.trained import check_trained
from pipeline.models.fold_models import FoldModels
from pipeline.models.served import Served
from pipeline.models.vector_index import ANN_K
from pipeline.records import Export, Split
from pipeline.settings import GateParams

MIN_Z: Final = 6.0
"""Chance passes one in a billion that know nothing; honest models had 19 to 47, shuffled ones 2.3 at most."""


@dataclass(frozen=True, eq=False)
class Contest:
    """What is judged, and the version in production that it is compared with."""

    candidate: FoldModels
    served: Served
    """All models of the candidate."""
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
    """What the readers' figures are by the candidate and by what it has to beat."""

    candidate: Figures
    popularity: F64
    """Recall of each reader's list, (n_users,)."""
    slices: Slices
    own_gains: F64
    """What learning says of each reader's held-out books, less what it says of them for others."""
    current: Current
    is_common: Mask
    """(n_users,): readers whose held-out books the rival has not seen either."""
    rival: Figures | None
    """Of those readers; None without a rival."""
    speed_ms: tuple[float, float] | None
    """What candidate and rival take to rank for a reader."""


def gate(
    contest: Contest,
    folds: Split,
    catalog: Export,
    *,
    params: GateParams,
    evidence: EvidenceParams,
    rules: ServingRules,
    seed: int,
    accept_incomparable: bool,
    tools: Tools,
) -> Gate:
    """Serve the held-out readers by the candidate, by what it has to beat, and by the current version."""
    measured = measure(contest, folds, catalog, params, rules)
    checks = [
        *judge(measured, params=params, seed=seed, accept_incomparable=accept_incomparable),
        check_trained(contest.candidate.als.evidence, folds.train, evidence, seed=seed, tools=tools),
        *check_complete(contest.served, catalog),
        *(_check_index(*each, params.min_ann_recall) for each in sorted(contest.ann_recall.items())),
    ]
    return Gate(
        verdict=GateVerdict.of(*checks).model_dump(mode="json"),
        metrics={
            **_summarise(measured, params.k, seed),
            f"coverage@{params.k}": measured.candidate.n_shown / int(contest.candidate.als.is_shown.sum()),
            f"ann_recall@{ANN_K}": contest.ann_recall,
            **contest.candidate.als.params,
        },
    )


def measure(
    contest: Contest, folds: Split, catalog: Export, params: GateParams, rules: ServingRules
) -> Measured:
    """All figures that depend on readers."""
    users = choose_users(folds.train, folds.held_out, at_most=params.max_users)
    candidate, rival, k = contest.candidate, contest.current.rival, params.k
    measurer = Measurer(users, folds.train, catalog, k, rules)
    popular = serve_popular(candidate.als.book_ids, read_popularity(candidate.als), users, k)
    is_common = (
        np.ones(users.size, dtype=bool) if rival is None else np.isin(users.user_ids, rival.reader_ids)
    )
    common = replace(measurer, users=users.take(is_common))
    return Measured(
        candidate=measurer.measure(candidate),
        popularity=recall_at_k(popular, users.held_out, k),
        slices=dict(slice_by_history(users)),
        own_gains=measure_own_gains(candidate.als, users),
        current=contest.current,
        is_common=is_common,
        rival=common.measure(rival) if rival else None,
        speed_ms=measure_speed(candidate.als, rival.als, common.users, k, rules) if rival else None,
    )


def judge(
    measured: Measured, *, params: GateParams, seed: int, accept_incomparable: bool
) -> Iterator[GateCheck]:
    """The lower ends of paired bootstrap intervals decide, not the means."""
    yield from check_floor(measured.candidate.recall, measured.popularity, measured.slices, params, seed)
    yield _check_learned(measured.own_gains)
    if measured.rival is None:
        yield _miss_current(measured.current, accept_incomparable=accept_incomparable)
        return
    slices = {name: mask[measured.is_common] for name, mask in measured.slices.items()}
    candidate, against = measured.candidate.take(measured.is_common), _name(measured.current)
    yield from check_losses(candidate, measured.rival, slices, params, seed, against=against)
    if measured.speed_ms is not None:
        yield _check_speed(*measured.speed_ms, params.min_speed, against)


def _summarise(measured: Measured, k: int, seed: int) -> dict[str, Any]:
    """Means over readers with their intervals."""
    candidate, recall = measured.candidate, measured.candidate.recall
    figures = {
        f"recall@{k}": recall,
        f"ndcg@{NDCG_K}": candidate.ndcg,
        f"cold_recall@{k}": candidate.cold_recall,
        f"tail_recall@{k}": candidate.tail_recall[~np.isnan(candidate.tail_recall)],
        f"popularity_recall@{k}": measured.popularity,
    }
    if measured.rival is not None:
        figures[f"recall_gain_over_current@{k}"] = recall[measured.is_common] - measured.rival.recall
    figures |= {f"recall@{k} {name}": recall[mask] for name, mask in measured.slices.items()}
    means = {
        name: asdict(bootstrap_mean(values, np.random.default_rng(seed)))
        for name, values in figures.items()
        if values.size
    }
    return {**means, "n_readers": recall.size}


def _name(current: Current) -> str:
    return f"{current.version}, {current.how}"


def _miss_current(current: Current, *, accept_incomparable: bool) -> GateCheck:
    if current.version is None:
        return not_made("recall_over_current", current.how, skipped=True)
    advice = "accepted by" if accept_incomparable else "to promote all the same, train with"
    detail = f"{current.version} cannot be compared with: {current.how}; {advice} --accept-incomparable"
    return not_made("comparable_with_current", detail, skipped=accept_incomparable)


def _check_learned(own_gains: F64) -> GateCheck:
    z = standardise(own_gains)
    detail = (
        f"standard errors by which learning scores held-out books higher for their own readers than for "
        f"others, over {own_gains.size} readers; near 0 if ratings tell nothing"
    )
    return GateCheck(
        name="learned_evidence",
        value=z,
        threshold=MIN_Z,
        passed=z > MIN_Z,
        detail=detail,
        n_readers=own_gains.size,
    )


def _check_speed(ours_ms: float, theirs_ms: float, least: float, against: str) -> GateCheck:
    detail = (
        f"speed of ranking, as a share of that of {against}: {ours_ms:.2f} ms of CPU time for a reader "
        f"against {theirs_ms:.2f} ms, and 2 ms each that a request costs besides"
    )
    return check_least("speed_over_current", compare_speed(ours_ms, theirs_ms), least, detail)


def _check_index(name: str, recall: float, least: float) -> GateCheck:
    return check_least(f"ann_recall_{name}", recall, least, "share of the exact nearest that the index finds")
