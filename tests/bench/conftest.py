"""Benchmarks run with `make bench` alone; by BOOKMESH_BENCH_URL and _KEY against a running gateway."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from cli.own_key import read_headers
from tests.bench.client import Client
from tests.homes import Home
from tests.meshes import Mesh

FIGURES = pytest.StashKey[list[str]]()


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Nothing here is part of a plain test run."""
    return None if config.getoption("benchmark_only") else True


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The figures in plain words, percentiles included, below pytest-benchmark's own table."""
    if config.stash[FIGURES]:
        terminalreporter.section("figures")
    for line in config.stash[FIGURES]:
        terminalreporter.write_line(line)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Any:
    """Writes a line of the summary."""
    return request.config.stash[FIGURES].append


@pytest.fixture
def percentiles(request: pytest.FixtureRequest, benchmark: BenchmarkFixture, report: Any) -> Iterator[None]:
    """p50 and p99 of every round of the benchmark, in its JSON and in the summary."""
    yield
    if benchmark.stats is None:
        return
    rounds_ms = sorted(1000 * each for each in benchmark.stats.stats.data)
    p50, p99 = (rounds_ms[min(len(rounds_ms) - 1, int(share * len(rounds_ms)))] for share in (0.5, 0.99))
    benchmark.extra_info |= {"p50_ms": p50, "p99_ms": p99}
    report(f"{request.node.name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, {len(rounds_ms)} rounds")


@pytest.fixture(scope="session")
def gateway_url(request: pytest.FixtureRequest) -> str:
    """A gateway that the caller runs, or one over the small demo catalog."""
    if url := os.environ.get("BOOKMESH_BENCH_URL"):
        return url.rstrip("/")
    mesh: Mesh = request.getfixturevalue("mesh")
    return mesh.url("gateway")


@pytest.fixture(scope="session")
def key_headers(request: pytest.FixtureRequest) -> dict[str, str]:
    """What tells that gateway who asks: BOOKMESH_BENCH_KEY, or the key of the own mesh."""
    if "BOOKMESH_BENCH_URL" in os.environ:
        return {"Authorization": f"Bearer {os.environ['BOOKMESH_BENCH_KEY']}"}
    mesh: Mesh = request.getfixturevalue("mesh")
    return read_headers(mesh.home.path)


@pytest.fixture(scope="session")
def client(gateway_url: str, key_headers: dict[str, str]) -> Iterator[Client]:
    """One connection to the gateway."""
    with Client(gateway_url, key_headers) as opened:
        yield opened


@pytest.fixture
def fresh_home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")
