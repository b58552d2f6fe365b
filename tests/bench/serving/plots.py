"""Draws what was measured."""

from operator import attrgetter
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tests.bench.serving.report import Results
from tests.bench.serving.targets import CACHED, SIMILAR

DARK_AND_LIGHT: Final = mpl.color_sequences["tab20"]
COLORS: Final = (*DARK_AND_LIGHT[::2], *DARK_AND_LIGHT[1::2])
WIDTH_IN, HEIGHT_IN, DPI = 8.0, 4.5, 90
MARKERS: Final = {"p50": "o", "p95": "d", "p99": "|"}


def draw(results: Results, folder: Path) -> None:
    """`throughput.png`, `latency.png`, `memory.png` and `cpu.png`."""
    plots = {
        "throughput": _draw_throughput,
        "latency": _draw_latency,
        "memory": _draw_memory,
        "cpu": _draw_cpu,
    }
    for name, plot in plots.items():
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, layout="constrained")
        plot(figure, results)
        figure.savefig(folder / f"{name}.png", metadata={"Software": None})


def _draw_throughput(figure: Figure, results: Results) -> None:
    axes = figure.subplots()
    for color, (name, measured) in zip(COLORS, results.series.items(), strict=False):
        rates, p99_ms = (
            [measured.median(n, attrgetter(value)) for n in results.connections]
            for value in ("rate", "p99_ms")
        )
        axes.plot(rates, p99_ms, marker="o", color=color, label=name)
        for n, rate, ms in zip(results.connections, rates, p99_ms, strict=True):
            axes.annotate(str(n), (rate, ms), xytext=(4, 4), textcoords="offset points", fontsize=7)
    axes.set(xscale="log", yscale="log", xlabel="answers a second", ylabel="p99, ms")
    axes.set_title("Throughput against latency, by connections")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8)


def _draw_latency(figure: Figure, results: Results) -> None:
    """A row of each series, from p50 to p99; a part of each number of connections."""
    parts = figure.subplots(1, len(results.connections), sharey=True)
    for axes, n in zip(parts, results.connections, strict=True):
        for at, (color, measured) in enumerate(zip(COLORS, results.series.values(), strict=False)):
            values = [measured.median(n, attrgetter(f"{name}_ms")) for name in MARKERS]
            axes.plot(values, [at] * len(values), color=color)
            for value, marker in zip(values, MARKERS.values(), strict=True):
                axes.plot(value, at, marker, color=color, markersize=9 if marker == "|" else 5)
        axes.set(xscale="log", xlabel="ms", title=f"{n} connection{'s' if n > 1 else ''}")
        axes.grid(alpha=0.3)
    parts[0].set_yticks(range(len(results.series)), list(results.series))
    parts[0].invert_yaxis()
    figure.suptitle("p50 (dot), p95 (diamond) and p99 (bar)")


def _draw_memory(figure: Figure, results: Results) -> None:
    shown = {
        name: each.pss_mib for name, each in results.series.items() if not name.endswith((CACHED, SIMILAR))
    }
    _draw_parts(figure, shown, "Memory after the load, MiB (PSS), by process")


def _draw_cpu(figure: Figure, results: Results) -> None:
    n = results.connections[-1]
    shown = {name: each.cpu_us(n) for name, each in results.series.items()}
    _draw_parts(figure, shown, f"CPU of a request at {n} connections, µs, by process")


def _draw_parts(figure: Figure, shown: dict[str, dict[str, float]], title: str) -> None:
    """A bar of each series, in pieces of its processes, which have one color everywhere."""
    axes = figure.subplots()
    names = list(dict.fromkeys(process for parts in shown.values() for process in parts))
    color_of = dict(zip(names, COLORS, strict=False))
    for at, parts in enumerate(shown.values()):
        left = 0.0
        for process, value in parts.items():
            axes.barh(at, value, left=left, color=color_of[process])
            left += value
        axes.annotate(f" {left:.0f}", (left, at), va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), list(shown))
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_title(title)
    handles = [Patch(color=color, label=name) for name, color in color_of.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=8)
