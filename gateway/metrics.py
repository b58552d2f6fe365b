"""What the gateway counts beyond its requests: calls to servers, cache look-ups, degraded responses."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from telemetry.metrics import LATENCY_BUCKETS_S


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
            "Responses that the loss of a dependency changed.",
            ["dependency"],
            registry=registry,
        )
        self.server_live = Gauge(
            "bookmesh_server_live", "1 if the server answered lately.", ["server"], registry=registry
        )
