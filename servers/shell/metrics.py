"""The metrics of a model server: its requests, and the versions that it loads."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from contracts.shell import ServerName
from telemetry.metrics import HttpMetrics


class ServerMetrics:
    """All metrics of one server, in one registry."""

    def __init__(self, name: ServerName, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.http = HttpMetrics(name, registry)
        loads = Counter(
            "bookmesh_version_loads",
            "Versions that a server tried to load.",
            ["process", "outcome"],
            registry=registry,
        )
        self.loads_ok, self.loads_failed = loads.labels(name, "ok"), loads.labels(name, "failed")
        self._name = name
        self._damaged = Counter(
            "bookmesh_damaged_objects",
            "Objects refused because they were missing or differed from their digest.",
            ["process", "object"],
            registry=registry,
        )
        self.refused = Gauge(
            "bookmesh_version_refused",
            "1 while the version that the pointer names could not be loaded, and the one before answers.",
            ["process"],
            registry=registry,
            multiprocess_mode="livemax",
        ).labels(name)
        self.held = Gauge(
            "bookmesh_held_versions",
            "Versions that a pinned request may name.",
            ["process"],
            registry=registry,
            multiprocess_mode="livemin",
        ).labels(name)
        self.loaded_at = Gauge(
            "bookmesh_version_loaded_timestamp_seconds",
            "When the current version became current here; 0 before any did.",
            ["process"],
            registry=registry,
            multiprocess_mode="livemin",
        ).labels(name)

    def count_damaged(self, object_name: str) -> None:
        self._damaged.labels(self._name, object_name).inc()
