"""How fast catalogs are made up and imported."""

import os
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from catalog.demo.source import Demo
from catalog.sources.row_log import RowLog
from tests.homes import Home

N_BOOKS, N_READERS, N_RATINGS = 25_000, 30_000, 120_000
LARGE = {"books": 250_000, "readers": 300_000, "ratings": 1_200_000}


def test_ratings_made_up_per_second(benchmark: BenchmarkFixture, report: Any) -> None:
    def make_up() -> int:
        log = RowLog(lambda stage, done, total: None)
        source = Demo(books=N_BOOKS, users=N_READERS, ratings=N_RATINGS)
        return sum(1 for rows in (source.works, source.users, source.ratings) for _ in rows(log))

    n_rows = benchmark.pedantic(make_up, rounds=1)

    report(f"generator: {n_rows / benchmark.stats.stats.mean:,.0f} rows/s ({n_rows:,} rows)")


def test_rows_imported_per_second(benchmark: BenchmarkFixture, fresh_home: Home, report: Any) -> None:
    sizes = ("--books", str(N_BOOKS), "--readers", str(N_READERS), "--ratings", str(N_RATINGS))

    benchmark.pedantic(lambda: fresh_home.succeed("import", "demo", *sizes), rounds=1)

    n_rows = 2 * N_BOOKS + N_READERS + N_RATINGS
    report(f"import, start of the command not included: {n_rows / benchmark.stats.stats.mean:,.0f} rows/s")


@pytest.mark.skipif(
    "BOOKMESH_BENCH_LARGE" not in os.environ, reason="takes minutes: set BOOKMESH_BENCH_LARGE=1"
)
def test_a_large_catalog_is_imported(benchmark: BenchmarkFixture, fresh_home: Home, report: Any) -> None:
    sizes = [word for name, n in LARGE.items() for word in (f"--{name}", str(n))]

    benchmark.pedantic(lambda: fresh_home.succeed("import", "demo", *sizes), rounds=1)

    size_mib = Path(fresh_home.path / "catalog.db").stat().st_size / 2**20
    report(f"import of {LARGE}: {benchmark.stats.stats.mean:.0f} s, {size_mib:.0f} MiB on disk")
