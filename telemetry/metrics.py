"""Prometheus metrics: a registry for each process, and those that every HTTP process has."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

LATENCY_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1.0, 2.5)
METRICS_CONTENT_TYPE = CONTENT_TYPE_LATEST


def build_registry() -> CollectorRegistry:
    """A registry that already tells the process's CPU, memory, open files and garbage collections."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def render_metrics(registry: CollectorRegistry) -> bytes:
    """All metrics in Prometheus' text format, METRICS_CONTENT_TYPE."""
    return generate_latest(registry)


class HttpMetrics:
    """Requests by route and status, their latency, and how many are being answered now.

    `process` is part of each name: `bookmesh_als_request_seconds`. Register them once a registry.
    """

    def __init__(self, process: str, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            f"bookmesh_{process}_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ["route"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._requests = Counter(
            f"bookmesh_{process}_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self.in_progress = Gauge(
            f"bookmesh_{process}_requests_in_progress", "Requests being answered now.", registry=registry
        )

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is a path template, never a path with an id in it."""
        self._seconds.labels(route).observe(seconds)
        self._requests.labels(route, str(status)).inc()
