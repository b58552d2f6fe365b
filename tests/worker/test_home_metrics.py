"""What the worker tells Prometheus of the home."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from artifacts.store import ArtifactStore
from telemetry.metrics import read_sealed_at
from tests.servers.tiny import publish
from worker.home_metrics import HomeCollector
from worker.metrics import WorkerMetrics
from worker.settings import WorkerSettings


@pytest.fixture
def registry(tmp_path: Path) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(HomeCollector(WorkerSettings(home=tmp_path)))
    return registry


def test_an_empty_home_has_a_disk_and_nothing_else(registry: CollectorRegistry) -> None:
    free = registry.get_sample_value("bookmesh_home_free_bytes")
    size = registry.get_sample_value("bookmesh_home_size_bytes")

    assert free is not None and size is not None and 0 < free < size
    assert registry.get_sample_value("bookmesh_current_version_trained_timestamp_seconds") is None


def test_it_tells_when_the_current_version_was_trained(registry: CollectorRegistry, tmp_path: Path) -> None:
    version = publish(ArtifactStore(tmp_path / "artifacts"), tmp_path)

    told = registry.get_sample_value("bookmesh_current_version_trained_timestamp_seconds")

    assert told == read_sealed_at(version)


def test_a_damaged_manifest_hides_nothing_else(registry: CollectorRegistry, tmp_path: Path) -> None:
    version = publish(ArtifactStore(tmp_path / "artifacts"), tmp_path)
    manifest = tmp_path / "artifacts" / "versions" / f"{version}.json"
    manifest.chmod(0o600)
    manifest.write_text("{")

    assert registry.get_sample_value("bookmesh_home_free_bytes") is not None
    assert registry.get_sample_value("bookmesh_current_version_trained_timestamp_seconds") is None


def test_a_process_without_a_version_tells_of_none() -> None:
    metrics = WorkerMetrics(CollectorRegistry())

    names = {family.name for family in metrics.registry.collect() if family.samples}

    assert "bookmesh_version_sealed_timestamp_seconds" not in names


def test_it_shows_what_the_last_training_has_left(registry: CollectorRegistry, tmp_path: Path) -> None:
    file = WorkerSettings(home=tmp_path).training_metrics_path
    file.parent.mkdir()
    file.write_text(
        '# TYPE bookmesh_training_outcome gauge\nbookmesh_training_outcome{outcome="refused"} 1.0\n'
    )

    assert registry.get_sample_value("bookmesh_training_outcome", {"outcome": "refused"}) == 1
