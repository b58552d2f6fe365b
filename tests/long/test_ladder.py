"""The whole ladder with the settings as they are shipped; its figures go to docs/degradation-measured.md."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.shell import SERVER_NAMES
from gateway.settings import GatewayOptions
from tests.homes import ROOT, Home
from tests.loopback.ladder import (
    DEPENDENCIES,
    FAULTS,
    REDIS,
    Answers,
    Fault,
    Ladder,
    ask,
    await_whole,
    running_ladder,
)

pytestmark = [pytest.mark.long, pytest.mark.loopback, pytest.mark.timeout(3600)]

REPORT = ROOT / "docs" / "degradation-measured.md"
TURNS, AT_ONCE = 20, 4
RECOVERY_S = 5.0
SLACK_S = 2.0
"""Beyond the deadline, for what a busy machine takes for all else."""
DEADLINE_S = GatewayOptions().deadline_s
ROWS: list[tuple[Fault, tuple[str, ...]]] = [
    *((fault, (name,)) for name in DEPENDENCIES for fault in FAULTS),
    *(("refused", pair) for pair in itertools.combinations(DEPENDENCIES, 2)),
    *((fault, SERVER_NAMES) for fault in FAULTS),
]


@pytest.fixture
def ladder(trained_home: Home, tmp_path: Path) -> Iterator[Ladder]:
    (tmp_path / "mariadb").mkdir()
    with running_ladder(trained_home.copy(tmp_path / "home"), tmp_path, deadline_s=DEADLINE_S) as ladder:
        yield ladder


def test_the_ladder_holds_and_its_figures_are_written_down(ladder: Ladder) -> None:
    await_whole(ladder)
    lines = [describe("nothing", "–", ask(ladder, turns=TURNS, at_once=AT_ONCE), 0.0)]
    misses: list[str] = []
    for fault, names in ROWS:
        with ladder.suffering(fault, names):
            answers = ask(ladder, turns=TURNS, at_once=AT_ONCE)
        recovery_s = await_whole(ladder)
        told = "all five servers" if names == SERVER_NAMES else " and ".join(names)
        lines.append(describe(told, fault, answers, recovery_s))
        print(lines[-1])
        is_named = {*names} - {REDIS} <= answers.degraded
        is_late = recovery_s > RECOVERY_S or answers.percentile(0.99) > DEADLINE_S + SLACK_S
        if answers.failures or is_late or not is_named:
            misses.append(lines[-1])

    REPORT.write_text(
        HEAD.format(deadline_ms=1000 * DEADLINE_S, n=TURNS, at_once=AT_ONCE) + "\n".join(lines) + "\n"
    )
    assert misses == []


def describe(lost: str, fault: str, answers: Answers, recovery_s: float) -> str:
    p50, p99, slowest = (1000 * answers.percentile(share) for share in (0.5, 0.99, 1.0))
    named = ", ".join(sorted(answers.degraded)) or "–"
    return (
        f"| {lost} | {fault} | {len(answers.failures)} of {len(answers.statuses)} "
        f"| {p50:.0f} | {p99:.0f} | {slowest:.0f} | {named} | {recovery_s:.1f} |"
    )


HEAD = """# The ladder, measured

Written by `tests/long/test_ladder.py` (`make test-long`); [degradation.md](degradation.md) explains it.

A mesh over the demo catalog in MariaDB, with the settings as they are shipped (a deadline of
{deadline_ms:.0f} ms), but no cached lists. In each row a set of requests that needs every dependency is sent
{n} times, {at_once} requests at once; then everything comes back. *Whole* is when each of these requests is
answered with nothing degraded, in seconds from when the process was there again.

| lost | fault | failed | p50 ms | p99 ms | slowest ms | `degraded` | whole after s |
|---|---|---|---|---|---|---|---|
"""
