"""Writes what was measured: tables in Markdown, all of it as JSON."""

import json
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tests.bench.serving.measuring import Burst, Measured
from tests.bench.serving.targets import BEFORE, CACHED, CLASSIC, FRAMEWORK, LAYERS, MESH, SIMILAR

GIB: Final = 2**30
Rows = Iterator[list[str]]
COLUMNS: Final[dict[str, tuple[Callable[[Burst], float], str]]] = {
    "requests/s": (lambda each: each.rate, ".0f"),
    "p50, ms": (lambda each: each.p50_ms, ".1f"),
    "p95": (lambda each: each.p95_ms, ".1f"),
    "p99": (lambda each: each.p99_ms, ".1f"),
    "CPU of a request, µs": (lambda each: each.total_cpu_us, ".0f"),
    "of the client, µs": (lambda each: each.client_cpu_us, ".0f"),
    "client, share of a core": (lambda each: each.client_share, ".0%"),
}
"""Medians over the rounds, and how they are written."""


@dataclass(frozen=True)
class Results:
    """Of one run."""

    facts: dict[str, Any]
    """What was measured, where and how."""
    connections: Sequence[int]
    series: dict[str, Measured]
    overload: dict[str, Burst]


def describe_machine() -> dict[str, Any]:
    """What figures depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cores": psutil.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "memory, GiB": round(psutil.virtual_memory().total / GIB),
        "Python": platform.python_version(),
        "load before": round(psutil.getloadavg()[0], 1),
    }


def write(results: Results, folder: Path) -> None:
    """`bench.json` and `bench.md`."""
    (folder / "bench.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    (folder / "bench.md").write_text("\n".join(_build_tables(results)) + "\n")


def _build_tables(results: Results) -> Iterator[str]:
    series, connections = results.series, results.connections
    yield "; ".join(f"{name}: {value}" for name, value in results.facts.items())
    for n in connections:
        title = f"{n} connection{'s' if n > 1 else ''}"
        yield from _table(title, COLUMNS, _rows(series, n), last="went wrong")
    heads = [str(n) for n in connections]
    yield from _table("bookmesh to the others, by connections", heads, _ratios(series, connections))
    by_process = _by_process(series[MESH], connections)
    yield from _table("CPU of a list by bookmesh, µs, by connections", series[MESH].pss_mib, by_process)
    yield from _table("Memory (PSS), MiB", ["all"], _memory(series), last="of that")
    if results.overload:
        heads = ["connections", *COLUMNS, "refused/s"]
        yield from _table("Overload", heads, _overload(results.overload), last="went wrong")


def _table(title: str, heads: Iterable[str], rows: Rows, last: str | None = None) -> Iterator[str]:
    """Numbers to the right; what is in a last column is text."""
    heads = list(heads)
    yield f"\n**{title}**\n"
    yield f"| {' | '.join(['', *heads, *([last] if last else [])])} |"
    yield f"|---{'|---:' * len(heads)}|{'---|' if last else ''}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _rows(series: dict[str, Measured], n: int) -> Rows:
    for name, measured in series.items():
        medians = [format(measured.median(n, figure), spec) for figure, spec in COLUMNS.values()]
        bursts = [each for each in measured.bursts if each.connections == n]
        yield [name, *medians, _describe_failures(bursts)]


def _describe_failures(bursts: Sequence[Burst]) -> str:
    counts = {
        "degraded": sum(each.degraded for each in bursts),
        "refused": sum(sum(each.refused.values()) for each in bursts),
        "lost": sum(each.lost for each in bursts),
    }
    return ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "nothing"


def _ratios(series: dict[str, Measured], connections: Sequence[int]) -> Rows:
    def compare(one: str, other: str, figure: Callable[[Burst], float]) -> list[str]:
        return [f"{series[one].median(n, figure) / series[other].median(n, figure):.2f}" for n in connections]

    for other in (CLASSIC, FRAMEWORK, BEFORE):
        for name in ("requests/s", "p99", "CPU of a request, µs") if other in series else ():
            yield [f"{name.partition(',')[0]}, {other} is 1", *compare(MESH, other, COLUMNS[name][0])]
    if BEFORE in series:
        yield [
            "requests/s of cached lists, before is 1",
            *compare(MESH + CACHED, BEFORE + CACHED, lambda each: each.rate),
        ]
    ratios = compare(MESH + CACHED, LAYERS, lambda each: each.cpu_us["gateway"])
    yield [f"CPU of the gateway for a cached list, {LAYERS} is 1", *ratios]


def _by_process(measured: Measured, connections: Sequence[int]) -> Rows:
    for n in connections:
        yield [str(n), *(f"{us:.0f}" for us in measured.cpu_us(n).values())]


def _memory(series: dict[str, Measured]) -> Rows:
    for name, measured in series.items():
        if not name.endswith((CACHED, SIMILAR)):  # those are by the same processes
            parts = ", ".join(f"{process} {mib:.0f}" for process, mib in measured.pss_mib.items())
            yield [name, f"{sum(measured.pss_mib.values()):.0f}", parts]


def _overload(bursts: dict[str, Burst]) -> Rows:
    for name, each in bursts.items():
        figures = [format(figure(each), spec) for figure, spec in COLUMNS.values()]
        refused = f"{sum(each.refused.values()) / each.took_s:.0f}"
        yield [name, str(each.connections), *figures, refused, _describe_failures([each])]
