"""The whole bench, on a small catalog: what it is compared with is installed, started, asked and ended."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.homes import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

SHORT = ("--books", "1000", "--rounds", "1", "--seconds", "1", "--overload-seconds", "3")


def test_the_bench_measures_everything_and_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench.serving", *SHORT, "--output", str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "bench.json").read_text())
    assert {"bookmesh", "classic app", "LitServe"} < set(results["series"])
    bursts = [burst for series in results["series"].values() for burst in series["bursts"]]
    assert all(burst["rate"] > 0 and not burst["lost"] for burst in bursts)
    assert len(results["overload"]) == 5
    assert not [each for each in psutil.process_iter(["cmdline"]) if _is_of_the_bench(each)]


def _is_of_the_bench(process: psutil.Process) -> bool:
    return any(
        "bookmesh_bench_" in word or "tests/bench/serving" in word for word in process.info["cmdline"] or ()
    )
