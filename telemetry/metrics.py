"""Prometheus metrics: a registry for each process, and those that every HTTP process has."""

from datetime import UTC, datetime
from functools import cache
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from foundation.release import RELEASE

LATENCY_BUCKETS_S: Final = (
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1.0, 2.5,
)  # fmt: skip
"""A cached list takes half a millisecond, one that is made 2 to 10, and after 800 the deadline has passed."""


def build_registry() -> CollectorRegistry:
    """A registry that already has the process's CPU, memory, open files and garbage collections."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def read_sealed_at(version: str | None) -> float:
    """When a version was sealed, in seconds since 1970, by its name; 0 if there is none."""
    try:
        return datetime.strptime((version or "")[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


class HttpMetrics:
    """Requests by route and status, their latency, why some failed, and how many are being answered now.

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
        self._problems = Counter(
            "bookmesh_problems",
            "Requests answered with an error, by its code.",
            ["process", "code"],
            registry=registry,
        )
        self.in_progress = Gauge(
            "bookmesh_requests_in_progress",
            "Requests being answered now.",
            ["process"],
            registry=registry,
            multiprocess_mode="livesum",
        ).labels(process)
        Gauge(
            "bookmesh_release_info",
            "The release of bookmesh that runs; always 1.",
            ["process", "release"],
            registry=registry,
            multiprocess_mode="livemax",
        ).labels(process, RELEASE).set(1)
        self._version = Gauge(
            "bookmesh_version_sealed_timestamp_seconds",
            "When the version was sealed that the process answers from; 0 if it lost that.",
            ["process"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        # Looking a child up by its labels costs as much as counting with it.
        self._children = cache(self._find_children)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is a path template, never a path with an id in it."""
        latency, count = self._children(route, status)
        latency.observe(seconds)
        count.inc()

    def count_problem(self, code: str) -> None:
        """Count one answer that is an error; the codes are those of docs/errors.md."""
        self._problems.labels(self._process, code).inc()

    def tell_version(self, version: str | None) -> None:
        """Tell which version the process answers from now."""
        self._version.labels(self._process).set(read_sealed_at(version))

    def _find_children(self, route: str, status: int) -> tuple[Histogram, Counter]:
        return (
            self._seconds.labels(self._process, route),
            self._requests.labels(self._process, route, str(status)),
        )
