"""What the worker tells Prometheus of the home: its disk, the current version, and the last training."""

import shutil
from collections.abc import Iterator
from contextlib import suppress

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_fd_to_metric_families
from prometheus_client.registry import Collector

from artifacts.collection import VERSIONS
from artifacts.errors import ManifestUnreadable
from artifacts.manifest import read_manifest
from artifacts.pointer import read_pointer
from worker.settings import WorkerSettings


class HomeCollector(Collector):
    """Looks whenever it is asked: whoever trains or promotes may be another process."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """The metrics as of now."""
        disk = shutil.disk_usage(self._settings.home)
        yield GaugeMetricFamily("bookmesh_home_size_bytes", "The disk that the home is on.", disk.total)
        yield GaugeMetricFamily("bookmesh_home_free_bytes", "What is free of it.", disk.free)
        if (trained_at_s := self._find_trained_at()) is not None:
            yield GaugeMetricFamily(
                "bookmesh_current_version_trained_timestamp_seconds",
                "When the models of the current version were trained; a refresh does not change that.",
                trained_at_s,
            )
        with suppress(FileNotFoundError), self._settings.training_metrics_path.open() as file:
            yield from text_fd_to_metric_families(file)

    def _find_trained_at(self) -> float | None:
        root = self._settings.artifacts_root
        if (version := read_pointer(root)) is None:
            return None
        try:
            return read_manifest(root / VERSIONS / f"{version}.json").trained_at.timestamp()
        except (ManifestUnreadable, FileNotFoundError):
            return None  # `bookmesh versions list` tells
