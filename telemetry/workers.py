"""Metrics of a process with several workers: each writes files, and whichever is asked adds all up.

prometheus-client does so if the variable PROMETHEUS_MULTIPROC_DIR names their folder before it is imported.
The gateway and each server have a folder each, since they are scraped apart.
"""

from collections.abc import Iterator

import psutil
from prometheus_client import CollectorRegistry, generate_latest, multiprocess, values
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


def render(registry: CollectorRegistry) -> bytes:
    """Prometheus' text format: of this process, or of it and its fellow workers together."""
    if values.ValueClass is values.MutexValue:
        return generate_latest(registry)
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    together.register(_Resources(psutil.Process().parent() or psutil.Process()))
    return generate_latest(together)


class _Resources(Collector):
    """CPU and memory of all workers and of what starts them, under the names that a process alone gives."""

    def __init__(self, parent: psutil.Process) -> None:
        self._parent = parent

    def collect(self) -> Iterator[Metric]:
        rss_bytes = self._parent.memory_info().rss
        cpu_s = sum(self._parent.cpu_times()[:4])  # with that of children who have ended
        for process in self._parent.children():
            try:
                rss_bytes += process.memory_info().rss
                cpu_s += sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue  # it has just ended
        yield GaugeMetricFamily(
            "process_resident_memory_bytes", "Memory; what workers share counts in each.", rss_bytes
        )
        yield CounterMetricFamily("process_cpu_seconds", "User and system CPU time.", cpu_s)
