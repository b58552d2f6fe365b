"""Draws what was measured."""

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench.serving.report import Results
from tests.bench.serving.targets import CACHED, SIMILAR

COLORS: Final = mpl.color_sequences["tab20"]
WIDTH_IN, HEIGHT_IN, DPI = 8.0, 4.5, 90
PERCENTILES: Final = {"p50": ":", "p95": "--", "p99": "-"}


def draw(results: Results, folder: Path) -> None:
    """`throughput.png`, `latency.png`, `memory.png` and `cpu.png`."""
    for name, plot in (("throughput", _draw_throughput), ("latency", _draw_latency), ("memory", _draw_memory),
                       ("cpu", _draw_cpu)):  # fmt: skip
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, layout="constrained")
        plot(figure.subplots(), results)
        figure.savefig(folder / f"{name}.png", metadata={"Software": None})


def _draw_throughput(axes: Any, results: Results) -> None:
    for color, (name, measured) in zip(COLORS, results.series.items(), strict=False):
        rates, p99_ms = (
            [measured.median(n, attrgetter(figure)) for n in results.connections]
            for figure in ("rate", "p99_ms")
        )
        axes.plot(rates, p99_ms, marker="o", color=color, label=name)
        for n, rate, ms in zip(results.connections, rates, p99_ms, strict=True):
            axes.annotate(str(n), (rate, ms), xytext=(4, 4), textcoords="offset points", fontsize=7)
    axes.set(xscale="log", yscale="log", xlabel="answers a second", ylabel="p99, ms")
    axes.set_title("Throughput against latency, by connections")
    _finish(axes)


def _draw_latency(axes: Any, results: Results) -> None:
    for color, (name, measured) in zip(COLORS, results.series.items(), strict=False):
        if not name.startswith("empty"):
            for percentile, style in PERCENTILES.items():
                values = [measured.median(n, attrgetter(f"{percentile}_ms")) for n in results.connections]
                label = name if percentile == "p99" else None
                axes.plot(results.connections, values, style, marker=".", color=color, label=label)
    axes.set(xscale="log", yscale="log", xlabel="connections", ylabel="ms")
    axes.set_xticks(results.connections, [str(n) for n in results.connections])
    axes.set_title("p50 (dots), p95 (dashes) and p99 (lines)")
    _finish(axes)


def _draw_memory(axes: Any, results: Results) -> None:
    shown = {
        name: each.pss_mib for name, each in results.series.items() if not name.endswith((CACHED, SIMILAR))
    }
    _draw_parts(axes, shown)
    axes.set_xlabel("MiB (PSS)")
    axes.set_title("Memory after the load, by process")


def _draw_cpu(axes: Any, results: Results) -> None:
    n = results.connections[-1]
    _draw_parts(axes, {name: each.cpu_us(n) for name, each in results.series.items()})
    axes.set_xlabel("µs")
    axes.set_title(f"CPU of a request at {n} connections, by process")


def _draw_parts(axes: Any, shown: dict[str, dict[str, float]]) -> None:
    """A bar of each series, in pieces of its processes, which have one color everywhere."""
    names: Sequence[str] = list(dict.fromkeys(process for parts in shown.values() for process in parts))
    for at, parts in enumerate(shown.values()):
        left = 0.0
        for process, value in parts.items():
            axes.barh(at, value, left=left, color=COLORS[names.index(process) % len(COLORS)])
            left += value
        axes.annotate(
            f"{left:.0f}", (left, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_yticks(range(len(shown)), list(shown))
    axes.invert_yaxis()
    axes.margins(x=0.1)
    handles = [mpl.patches.Patch(color=COLORS[at % len(COLORS)], label=name) for at, name in enumerate(names)]
    axes.legend(handles=handles, fontsize=8)


def _finish(axes: Any) -> None:
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
