"""Several workers of one process count together."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

SCRIPT = """
import os, sys, time
from prometheus_client import multiprocess
from telemetry.metrics import HttpMetrics, build_registry
from telemetry.workers import render

def work(n_requests, version):
    registry = build_registry()
    metrics = HttpMetrics("als", registry)
    metrics.tell_version(version)
    metrics.in_progress.inc()
    for _ in range(n_requests):
        metrics.observe("/rank", 200, 0.004)
    return registry

def fork(n_requests, version):
    pid = os.fork()
    if pid == 0:
        work(n_requests, version)
        os._exit(0)
    os.waitpid(pid, 0)
    return pid

fork(3, "20260101T000000Z-aaaaaa")  # goes on as far as anybody knows
multiprocess.mark_process_dead(fork(2, "20250101T000000Z-bbbbbb"))
registry = work(1, "20260202T000000Z-cccccc")
sys.stdout.buffer.write(render(registry))
"""


def test_workers_add_up_and_those_that_ended_are_only_counted(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )

    families = text_string_to_metric_families(done.stdout)
    values = {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if "pid" not in sample.labels and sample.labels.get("le", "0.005") == "0.005"
    }
    assert values["bookmesh_requests_total"] == values["bookmesh_request_seconds_count"] == 6
    assert values["bookmesh_request_seconds_bucket"] == 6
    assert values["bookmesh_requests_in_progress"] == 2
    assert values["bookmesh_version_sealed_timestamp_seconds"] == 1767225600  # the slowest of the living
    assert values["process_resident_memory_bytes"] > 10_000_000
    assert values["process_cpu_seconds_total"] > 0
    assert "pid=" not in done.stdout
