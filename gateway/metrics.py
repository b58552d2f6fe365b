"""What the gateway counts beyond its requests: its dependencies, its lists, and what readers do with them."""

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from telemetry.metrics import LATENCY_BUCKETS_S

CATALOG_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 0.8, 3.0)
REDIS_BUCKETS_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05)
"""After 50 ms the gateway goes on without Redis."""
N_BOOKS_BUCKETS: Final = (0, 1, 4, 9, 10, 20, 50, 100)
"""The first holds the empty lists."""
SCORE_BUCKETS: Final = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 10, 30, 60, 120)
"""Keyword search scores by the tens, all else about 1 and less."""


class GatewayMetrics:
    """The gateway's own metrics; register them once a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.upstream_seconds = Histogram(
            "bookmesh_upstream_seconds",
            "Time that one call to a server took.",
            ["server", "outcome"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.catalog_seconds = Histogram(
            "bookmesh_catalog_seconds",
            "Time that a read or a write of the SQL catalog took, the wait for a thread included.",
            ["kind"],
            buckets=CATALOG_BUCKETS_S,
            registry=registry,
        )
        self.redis_seconds = Histogram(
            "bookmesh_redis_seconds",
            "Time that a command of Redis took, or was waited for.",
            buckets=REDIS_BUCKETS_S,
            registry=registry,
        )
        self.breaker_open = Gauge(
            "bookmesh_breaker_open",
            "1 while a dependency fails too often to be called but for a try now and then.",
            ["dependency"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.retries = Counter(
            "bookmesh_version_retries",
            "Requests begun anew because a server no longer held their version.",
            registry=registry,
        )
        self.cache_lookups = Counter(
            "bookmesh_cache_lookups", "Look-ups of a response.", ["outcome"], registry=registry
        )
        self.cache_refused = Counter(
            "bookmesh_cache_refused", "Values in Redis that were not ours, and not used.", registry=registry
        )
        self.limited_alone = Counter(
            "bookmesh_limited_alone",
            "Requests counted by this process alone, since Redis was lost.",
            registry=registry,
        )
        self.degraded = Counter(
            "bookmesh_degraded",
            "Lists that the loss of a dependency changed.",
            ["dependency"],
            registry=registry,
        )
        self.server_live = Gauge(
            "bookmesh_server_live",
            "1 if the server answered lately.",
            ["server"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.events = Counter(
            "bookmesh_events",
            "What readers did, each once, by the surface and the mode of the list that it came of.",
            ["kind", "surface", "mode"],
            registry=registry,
        )
        self.lists = ListMetrics(registry)


class ListMetrics:
    """Every list that was answered, from a cache too: how long it took, how full it is, how it scores."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "bookmesh_list_seconds",
            "Time until a list was there.",
            ["surface", "cached"],
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._n_books = Histogram(
            "bookmesh_list_books",
            "Books of a list.",
            ["surface", "mode"],
            buckets=N_BOOKS_BUCKETS,
            registry=registry,
        )
        self._scores = Histogram(
            "bookmesh_list_scores",
            "Scores of the first and the last book of a list.",
            ["mode", "place"],
            buckets=SCORE_BUCKETS,
            registry=registry,
        )
        self._children = cache(self._find_children)

    def observe(self, surface: str, mode: str, scores: tuple[float, float] | None, n_books: int) -> None:
        """Count one answered list; `scores` are the first and the last, None of one without books."""
        n, first, last = self._children(surface, mode)
        n.observe(n_books)
        if scores is not None:
            first.observe(scores[0])
            last.observe(scores[1])

    def observe_seconds(self, surface: str, seconds: float, *, cached: bool) -> None:
        """How long it took to answer a list."""
        self._seconds.labels(surface, "yes" if cached else "no").observe(seconds)

    def _find_children(self, surface: str, mode: str) -> tuple[Histogram, Histogram, Histogram]:
        return (
            self._n_books.labels(surface, mode),
            self._scores.labels(mode, "first"),
            self._scores.labels(mode, "last"),
        )
