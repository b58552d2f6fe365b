"""The metrics of the worker: its jobs, beside those of every HTTP process."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from catalog.jobs import JobKind
from telemetry.metrics import HttpMetrics

PROCESS: Final = "worker"
OUTCOMES: Final = ("done", "failed", "cancelled", "put back")


class WorkerMetrics:
    """All of them, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.http = HttpMetrics(PROCESS, registry)
        self._ended = Counter(
            "bookmesh_jobs",
            "Jobs that ended, by how: done, failed, cancelled, or put back into the queue.",
            ["process", "kind", "outcome"],
            registry=registry,
        )
        self._running = Gauge(
            "bookmesh_running_jobs", "Jobs that run now.", ["process", "kind"], registry=registry
        )
        for kind in JobKind:  # from 0, so that the first is seen as a rise
            self._running.labels(PROCESS, kind).set(0)
            for outcome in OUTCOMES:
                self._ended.labels(PROCESS, kind, outcome)

    def count_begun(self, kind: str) -> None:
        self._running.labels(PROCESS, kind).set(1)

    def count_ended(self, kind: str, outcome: str) -> None:
        self._running.labels(PROCESS, kind).set(0)
        self._ended.labels(PROCESS, kind, outcome).inc()
