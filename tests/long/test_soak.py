"""Twenty minutes of readers and writers, while processes are killed and stopped and versions moved at random.

BOOKMESH_SOAK_S and BOOKMESH_SOAK_SEED set how long, and what happens; the report tells both.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.production import Production, running_production
from tests.deploy.publishing import fetch_calmly
from tests.deploy.soaking import describe, soak
from tests.homes import Home

SECONDS = min(float(os.environ.get("BOOKMESH_SOAK_S", "1200")), 7200)
SEED = int(os.environ.get("BOOKMESH_SOAK_SEED", str(int(time.time()))))
MAX_GROWTH = 1.05
REPORT = Path(__file__).with_name("soak.md")

pytestmark = [pytest.mark.long, pytest.mark.timeout(SECONDS + 3600)]


@pytest.fixture
def production(trained_home: Home, tmp_path: Path) -> Iterator[Production]:
    """Every process with two workers."""
    with running_production(trained_home.copy(tmp_path / "home")) as running:
        yield running


def test_nothing_is_lost_or_mixed_and_nothing_grows(production: Production) -> None:
    sys.stdout.write(f"seed {SEED}\n")
    soaked = soak(production, seconds=SECONDS, seed=SEED)
    mixed = soaked.find_mixed(fetch_calmly(production, soaked.versions))

    closing = list(describe(soaked, seed=SEED, seconds=SECONDS, n_mixed=len(mixed)))
    REPORT.write_text("\n".join(["# The last soak", "", *(f"- {line}" for line in closing), ""]))
    sys.stdout.write("\n".join(closing) + "\n")
    assert soaked.lost == []
    assert [(each.query, each.body) for each in mixed] == []
    assert [(each.query, each.status, each.body) for each in soaked.find_unexplained()] == []
    assert soaked.growth(lambda each: each.pss_mib) <= MAX_GROWTH
    assert soaked.growth(lambda each: each.n_files) <= MAX_GROWTH
