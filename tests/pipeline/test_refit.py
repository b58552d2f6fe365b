"""What ships is what was judged: a refit damaged on its way is sealed for inspection, never served."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from foundation.arrays import F32
from pipeline import run as night
from pipeline.models.served import Served
from pipeline.models.vector_index import build_graph
from pipeline.records import Split
from pipeline.refit import check_refit
from pipeline.settings import GateParams, IndexParams
from pipeline.steps.s9_gate import Gate
from tests.pipeline.catalogs import club_pairs, club_works
from tests.pipeline.conftest import Home, opened_home

Change = Callable[[F32], F32]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served, Split]]:
    """The refit and the judged candidate of a run that passed, and its folds."""
    seen: list[Any] = []

    def listen(refit: Served, judged: Served, folds: Split, *, params: GateParams, seed: int) -> Gate:
        seen.extend((refit, judged, folds))
        return check_refit(refit, judged, folds, params=params, seed=seed)

    path = tmp_path_factory.mktemp("refit")
    with (
        pytest.MonkeyPatch.context() as patch,
        opened_home(path, club_works(), club_pairs(np.random.default_rng(0))) as home,
    ):
        patch.setattr(night, "check_refit", listen)
        assert home.train().promoted
        yield tuple(seen)


def failed(models: tuple[Served, Served, Split], **damaged: object) -> dict[str, tuple[float, float]]:
    """Value and bound of the checks that refuse a refit of which some models are damaged."""
    refit, judged, folds = models
    with threadpool_limits(limits=1, user_api="blas"):  # as in training
        checked = check_refit(replace(refit, **damaged), judged, folds, params=GateParams(), seed=1)  # type: ignore[arg-type]
    checks = checked.read_verdict().checks
    assert all(check.value is not None and check.threshold is not None and check.detail for check in checks)
    return {check.name: (check.value, check.threshold) for check in checks if check.failed}  # type: ignore[misc]


def change_factors(served: Served, change: Change) -> dict[str, object]:
    evidence = served.als.evidence
    als = replace(evidence.als, item_factors=change(evidence.als.item_factors.copy()))
    return {"als": replace(served.als, evidence=replace(evidence, als=als))}


def with_one_nan(factors: F32) -> F32:
    factors[3, 1] = np.nan
    return factors


def with_rows_shuffled(factors: F32) -> F32:
    return np.random.default_rng(0).permutation(factors)


def test_an_honest_refit_passes_every_check(models: tuple[Served, Served, Split]) -> None:
    assert failed(models) == {}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (with_one_nan, ["refit_finite"]),
        (np.zeros_like, ["refit_norms"]),
        (lambda factors: 10 * factors, ["refit_norms"]),
        (lambda factors: factors / 10, ["refit_norms"]),
        (with_rows_shuffled, ["refit_agreement_als"]),
    ],
)
def test_damaged_factors_are_refused(
    models: tuple[Served, Served, Split], change: Change, names: list[str]
) -> None:
    refused = failed(models, **change_factors(models[0], change))

    assert list(refused)[: len(names)] == names


def test_an_index_that_misses_neighbours_is_refused(models: tuple[Served, Served, Split]) -> None:
    similarity = models[0].similarity
    dim = similarity.dims["als"]
    others = np.random.default_rng(0).normal(size=(similarity.book_ids.size, dim)).astype(np.float32)
    broken = replace(similarity, als_index=build_graph(others, IndexParams()))

    value, bound = failed(models, similarity=broken)["refit_ann_recall_als"]

    assert value < bound == GateParams().min_ann_recall


def test_a_refit_that_lost_books_is_refused(models: tuple[Served, Served, Split]) -> None:
    als = models[0].als
    moved = replace(als, book_ids=als.book_ids + 1)

    assert "refit_vocabulary" in failed(models, als=moved)


def test_a_server_that_would_not_answer_is_refused(models: tuple[Served, Served, Split]) -> None:
    embedder = models[0].embedder
    mute = replace(embedder, embeddings=embedder.embeddings[:, :0])

    assert "refit_answers" in failed(models, embedder=mute)


def test_a_damaged_refit_is_sealed_and_never_pointed_at(
    trained_home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before, fit = trained_home.store.current(), night._Run._fit

    def damaging(run: Any, data: str, fold: Any, catalog: Any) -> Any:
        fitted = fit(run, data, fold, catalog)
        if data != "all":
            return fitted
        factors = np.zeros_like(fitted.evidence.als.item_factors)
        evidence = replace(fitted.evidence, als=replace(fitted.evidence.als, item_factors=factors))
        run.stepper.keys.remember(evidence, "damaged")
        return replace(fitted, evidence=evidence)

    monkeypatch.setattr(night._Run, "_fit", damaging)
    report = trained_home.train()

    assert not report.promoted and report.failed_checks == ["refit_norms"]
    assert trained_home.store.current() == before
    sealed = trained_home.store.manifest(report.version)
    assert not sealed.gate.passed and trained_home.store.verify(report.version) == []
