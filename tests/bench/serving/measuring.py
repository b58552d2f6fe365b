"""Takes turns: a burst of each series, round by round, so that whatever else the machine does meets all."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from tests.bench.serving.load import Outcome, drive
from tests.bench.serving.processes import CpuClocks, read_pss
from tests.bench.serving.targets import N_CACHED, Series

WARM_UP_S: Final = 60.0
N_WARM_UP: Final = 2 * N_CACHED
OVERLOAD: Final = 10
"""Connections of the overload, by those of the peak."""


@dataclass(frozen=True)
class Burst:
    """What one series did for a few seconds."""

    connections: int
    took_s: float
    rate: float
    """Answers 200 a second."""
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_us: dict[str, float]
    """CPU of a request, of each process."""
    client_cpu_us: float
    client_share: float
    """Of one core."""
    degraded: int
    refused: dict[int, int]
    lost: int

    @property
    def total_cpu_us(self) -> float:
        return sum(self.cpu_us.values())


@dataclass
class Measured:
    """All of one series."""

    bursts: list[Burst] = field(default_factory=list)
    pss_mib: dict[str, float] = field(default_factory=dict)
    """Of each process, after the last burst."""

    def cpu_us(self, connections: int) -> dict[str, float]:
        """Median CPU of a request, of each process."""
        return {name: self.median(connections, _cpu_of(name)) for name in self.pss_mib}

    def median(self, connections: int, figure: Callable[[Burst], float]) -> float:
        """Of a figure over the rounds."""
        return statistics.median(figure(each) for each in self.bursts if each.connections == connections)


def measure(
    series: Sequence[Series],
    *,
    connections: Sequence[int],
    rounds: int,
    seconds: float,
    tell: Callable[[str], None],
) -> dict[str, Measured]:
    """Bursts of every series with every number of connections, by the names of the series."""
    measured = {each.name: Measured() for each in series}
    for each in series:
        drive(each.url, islice(each.requests, N_WARM_UP), connections=max(connections), seconds=WARM_UP_S)
    for n_round in range(rounds):
        tell(f"round {n_round + 1} of {rounds}")
        for n in connections:
            # Whoever is first in one round is last in the next.
            for each in series if n_round % 2 == 0 else reversed(series):
                measured[each.name].bursts.append(burst(each, connections=n, seconds=seconds))
    for each in series:
        measured[each.name].pss_mib = read_pss(each.pids)
    return measured


def burst(series: Series, *, connections: int, seconds: float, waits: bool = True) -> Burst:
    """One series for a few seconds."""
    clocks = CpuClocks(series.pids)
    outcome = drive(series.url, series.requests, connections=connections, seconds=seconds, waits=waits)
    return _sum_up(outcome, clocks.used_s(), connections)


def overload(series: Series, peak: int, *, seconds: float, tell: Callable[[str], None]) -> dict[str, Burst]:
    """The peak, ten times its connections, and the peak again; by what the clients do who are refused."""
    bursts = {"the peak, before": burst(series, connections=peak, seconds=seconds / 3)}
    for name, waits in (("refused clients wait as told", True), ("refused clients come back at once", False)):
        tell(f"overload: {name}")
        bursts[name] = burst(series, connections=OVERLOAD * peak, seconds=seconds, waits=waits)
        bursts[f"the peak again, {len(bursts) // 2 + 1}"] = burst(
            series, connections=peak, seconds=seconds / 3
        )
    return bursts


def _cpu_of(process: str) -> Callable[[Burst], float]:
    return lambda burst: burst.cpu_us[process]


def _sum_up(outcome: Outcome, used_s: dict[str, float], connections: int) -> Burst:
    n = max(1, outcome.n_answers)
    return Burst(
        connections,
        outcome.took_s,
        outcome.rate,
        *outcome.percentiles_ms(),
        cpu_us={name: 1e6 * seconds / n for name, seconds in used_s.items()},
        client_cpu_us=1e6 * outcome.client_cpu_s / n,
        client_share=outcome.client_cpu_s / outcome.took_s,
        degraded=outcome.degraded,
        refused=outcome.refused,
        lost=outcome.lost,
    )
