"""The metrics of a model server: its requests, and the versions that it loads."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from contracts.shell import ServerName
from telemetry.metrics import HttpMetrics


class ServerMetrics:
    """All metrics of one server, in one registry."""

    def __init__(self, name: ServerName, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.http = HttpMetrics(name, registry)
        self.loads = Counter(
            f"bookmesh_{name}_version_loads",
            "Versions that this server tried to load.",
            ["outcome"],
            registry=registry,
        )
        self.damaged = Counter(
            f"bookmesh_{name}_damaged_objects",
            "Objects refused because they were missing or differed from their digest.",
            ["object"],
            registry=registry,
        )
        self.held = Gauge(
            f"bookmesh_{name}_held_versions", "Versions that a pinned request may name.", registry=registry
        )
        self.loaded_at = Gauge(
            f"bookmesh_{name}_version_loaded_timestamp_seconds",
            "When the current version became current here; 0 before any did.",
            registry=registry,
        )
        for outcome in ("ok", "failed"):
            self.loads.labels(outcome)
