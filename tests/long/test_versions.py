"""A hundred versions, one every half second, under load: none fails, is mixed or stays in memory."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.deploy.production import Production, running_production
from tests.deploy.publishing import PER_SECOND, Published, fetch_calmly, find_alike, publish_in_turn
from tests.homes import Home

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

N_VERSIONS = 100
EVERY_S = 0.5
MEASURED_AFTER = (10, 50, N_VERSIONS)
MAX_GROWTH = 1.05
FULL_SOON = {"BOOKMESH_GATEWAY__CACHE__RESPONSE_BYTES": "200000", "BOOKMESH_GATEWAY__CACHE__CARDS": "1000"}
"""Caches that are full after ten versions, so that what grows later is no cache."""
REPORT = Path(__file__).with_name("versions.md")


@pytest.fixture
def production(trained_home: Home, tmp_path: Path) -> Iterator[Production]:
    """Every process with two workers."""
    with running_production(trained_home.copy(tmp_path / "home"), **FULL_SOON) as running:
        yield running


def test_a_hundred_versions_come_and_go_under_load(production: Production) -> None:
    published = publish_in_turn(production, N_VERSIONS, every_s=EVERY_S, measured_after=MEASURED_AFTER)
    expected = fetch_calmly(production, published.versions)
    mixed = published.find_mixed(expected)

    report = "\n".join(describe(published, len(mixed))) + "\n"
    REPORT.write_text(report)
    sys.stdout.write(report)
    assert find_alike(expected, published.versions) == []
    assert [(each.query, each.status, each.body) for each in published.load.failures] == []
    assert [(each.query, each.body) for each in mixed] == []
    assert published.pss_mib[N_VERSIONS] <= MAX_GROWTH * published.pss_mib[MEASURED_AFTER[0]]


def describe(published: Published, n_mixed: int) -> Iterator[str]:
    """What happened, as a table."""
    load, served = published.load, published.load.versions
    yield "# A hundred versions under load"
    yield ""
    yield (
        f"`make test-long`, {datetime.now().astimezone():%Y-%m-%d}: the demo's catalog, two workers"
        f" of each process, a move of the pointer every {EVERY_S:g} s, {PER_SECOND:g} requests a second."
    )
    yield ""
    yield "| | |"
    yield "|---|---:|"
    yield f"| versions published | {len(published.versions) - 1} |"
    yield f"| moves of the pointer, with those back | {published.n_moves} |"
    yield f"| versions that answered | {len(served)} |"
    yield f"| requests | {len(load.outcomes):,} |"
    yield f"| failed | {len(load.failures)} |"
    yield f"| made without a server | {load.degraded.total()} |"
    yield f"| answers of two versions | {n_mixed} |"
    for n, mib in published.pss_mib.items():
        growth = mib / published.pss_mib[MEASURED_AFTER[0]]
        yield f"| memory (PSS) after {n} versions, MiB | {mib:.0f} ({growth:.3f}) |"
