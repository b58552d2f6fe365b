"""Prometheus metrics: a registry for each process, and those that every HTTP process has."""

from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

LATENCY_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1.0, 2.5)


def build_registry() -> CollectorRegistry:
    """A registry that already has the process's CPU, memory, open files and garbage collections."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class HttpMetrics:
    """Requests by route and status, their latency, and how many are being answered now.

    Every name is the same in all processes, and `process` is a label. Register them once a registry.
    """

    def __init__(self, process: str, registry: CollectorRegistry) -> None:
        self._process = process
        self._seconds = Histogram(
            "bookmesh_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ["process", "route"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._requests = Counter(
            "bookmesh_requests", "Requests answered.", ["process", "route", "status"], registry=registry
        )
        self.in_progress = Gauge(
            "bookmesh_requests_in_progress", "Requests being answered now.", ["process"], registry=registry
        ).labels(process)
        # Looking a child up by its labels costs as much as counting with it.
        self._children = cache(self._find_children)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is a path template, never a path with an id in it."""
        latency, count = self._children(route, status)
        latency.observe(seconds)
        count.inc()

    def _find_children(self, route: str, status: int) -> tuple[Histogram, Counter]:
        return (
            self._seconds.labels(self._process, route),
            self._requests.labels(self._process, route, str(status)),
        )
