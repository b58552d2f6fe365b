"""What Prometheus is told of a training: of one that was promoted, refused, or that failed."""

import errno
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.report import RunReport
from pipeline.settings import GateParams
from pipeline.stepping.progress import Progress
from tests.pipeline.conftest import Home


class NoDisk(Progress):
    """Stands for a full disk, before this step."""

    def step_started(self, number: int, name: str, data: str) -> None:
        if name == "als":
            raise OSError(errno.ENOSPC, "no space left")


def read_samples(path: Path) -> dict[tuple[str, ...], float]:
    """Name and label values of each sample, in the order of the labels' names, and its value."""
    families = text_string_to_metric_families(path.read_text())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def read_outcome(home: Home) -> list[str]:
    samples = read_samples(home.settings.training_metrics_path)
    return [key[1] for key, value in samples.items() if key[0] == "bookmesh_training_outcome" and value == 1]


def test_a_training_tells_its_steps_rows_figures_and_checks(trained: tuple[Home, RunReport]) -> None:
    home, report = trained
    samples = read_samples(home.settings.training_metrics_path)

    assert read_outcome(home) == ["promoted"]
    assert samples["bookmesh_training_step_seconds", "all", "6 als"] >= 0
    assert samples["bookmesh_training_rows", "kept"] == report.cleaning["kept"]
    assert samples["bookmesh_training_metric", "low", "ndcg@10"] == report.metrics["ndcg@10"]["low"]
    assert samples["bookmesh_training_metric", "mean", "n_readers"] == report.metrics["n_readers"]
    for check in report.verdict.checks:
        if not check.skipped:
            assert samples["bookmesh_training_check_passed", check.name] == check.passed
            assert samples["bookmesh_training_check", check.name, "value"] == check.value


def test_a_refused_training_says_so(home: Home) -> None:
    options = home.settings.train.model_copy(update={"gate": GateParams(floor_margin=1000)})
    refusing = Home(home.settings.model_copy(update={"train": options}), home.db, home.store)

    report = refusing.train()

    assert not report.promoted
    assert read_outcome(refusing) == ["refused"]


def test_a_training_that_fails_tells_the_steps_before(home: Home) -> None:
    with pytest.raises(OSError, match="no space"):
        home.train(progress=NoDisk())

    samples = read_samples(home.settings.training_metrics_path)
    steps = {key[2] for key in samples if key[0] == "bookmesh_training_step_seconds"}
    assert read_outcome(home) == ["failed"]
    assert steps == {"1 export", "2 clean", "3 split", "4 aggregate"}
