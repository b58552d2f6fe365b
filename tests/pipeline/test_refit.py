"""What ships is what was judged: a refit damaged on its way is sealed for inspection, never served."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from foundation.arrays import F32
from pipeline import run as night
from pipeline.fitting import Fitter
from pipeline.models.served import Served
from pipeline.models.vector_index import build_graph
from pipeline.refit import check_refit
from pipeline.settings import GateParams, IndexParams
from pipeline.steps.s9_gate import Gate
from servers.graph import VectorGraph
from tests.pipeline.catalogs import club_pairs, club_works
from tests.pipeline.conftest import Home, opened_home

Change = Callable[[F32], F32]


@dataclass(frozen=True)
class Checked:
    """The refit of a run that passed, and all that it was checked by."""

    refit: Served
    inputs: tuple[Any, ...]
    options: dict[str, Any]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    seen: list[Checked] = []

    def listen(refit: Served, *inputs: Any, **options: Any) -> Gate:
        seen.append(Checked(refit, inputs, options))
        return check_refit(refit, *inputs, **options)

    path = tmp_path_factory.mktemp("refit")
    with (
        pytest.MonkeyPatch.context() as patch,
        opened_home(path, club_works(), club_pairs(np.random.default_rng(0))) as home,
    ):
        patch.setattr(night, "check_refit", listen)
        assert home.train().promoted
        yield seen[0]


def failed(models: Checked, **damaged: object) -> dict[str, tuple[float, float]]:
    """Value and bound of the checks that refuse a refit of which some models are damaged."""
    with threadpool_limits(limits=1, user_api="blas"):  # as in training
        refit = replace(models.refit, **damaged)  # type: ignore[arg-type]
        checked = check_refit(refit, *models.inputs, **models.options)
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


def test_an_honest_refit_passes_every_check(models: Checked) -> None:
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
def test_damaged_factors_are_refused(models: Checked, change: Change, names: list[str]) -> None:
    refused = failed(models, **change_factors(models.refit, change))

    assert list(refused)[: len(names)] == names


def test_an_index_that_misses_neighbours_is_refused(models: Checked) -> None:
    similarity = models.refit.similarity
    dim = similarity.dims["als"]
    others = np.random.default_rng(0).normal(size=(similarity.book_ids.size, dim)).astype(np.float32)
    broken = replace(similarity, als_index=build_graph(others, IndexParams()))

    value, bound = failed(models, similarity=broken)["refit_ann_recall_als"]

    assert value < bound == GateParams().min_ann_recall


def without_some(graph: VectorGraph) -> VectorGraph:
    """A graph that lacks 5 % of its books."""
    lacking = np.arange(0, graph.rows.size, 20)
    starts = graph.starts - np.searchsorted(lacking, graph.starts)
    return replace(graph, rows=np.delete(graph.rows, lacking), starts=starts)


def test_an_index_that_lacks_books_is_refused(models: Checked) -> None:
    similarity = models.refit.similarity

    refused = failed(models, similarity=replace(similarity, als_index=without_some(similarity.als_index)))

    value, bound = refused["refit_complete_als"]
    assert value == pytest.approx(0.95) and bound == 1.0
    assert "refit_complete_subject" not in refused


def test_cards_and_texts_that_lack_books_are_refused(models: Checked) -> None:
    refit = models.refit
    metadata = replace(refit.metadata, cards=refit.metadata.cards.slice(4))
    semantic = replace(refit.semantic, text_index=without_some(refit.semantic.text_index))

    refused = failed(models, metadata=metadata, semantic=semantic)

    assert refused["refit_complete_cards"][0] == refused["refit_complete_text"][0] == pytest.approx(0.95)
    assert "refit_complete_keywords" not in refused


def test_a_refit_that_lost_books_is_refused(models: Checked) -> None:
    als = models.refit.als
    moved = replace(als, book_ids=als.book_ids + 1)

    assert "refit_vocabulary" in failed(models, als=moved)


def test_a_server_that_would_not_answer_is_refused(models: Checked) -> None:
    embedder = models.refit.embedder
    mute = replace(embedder, embeddings=embedder.embeddings[:, :0])

    assert "refit_answers" in failed(models, embedder=mute)


def test_a_damaged_refit_is_sealed_and_never_pointed_at(
    trained_home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before, fit = trained_home.store.current(), Fitter.fit

    def damaging(fitter: Fitter, data: str, *given: Any) -> Any:
        fitted = fit(fitter, data, *given)
        if data != "all":
            return fitted
        factors = np.zeros_like(fitted.evidence.als.item_factors)
        evidence = replace(fitted.evidence, als=replace(fitted.evidence.als, item_factors=factors))
        fitter.stepper.keys.remember(evidence, "damaged")
        return replace(fitted, evidence=evidence)

    monkeypatch.setattr(Fitter, "fit", damaging)
    report = trained_home.train()

    assert not report.promoted and report.failed_checks == ["refit_norms"]
    assert trained_home.store.current() == before
    sealed = trained_home.store.manifest(report.version)
    assert not sealed.gate.passed and trained_home.store.verify(report.version) == []
