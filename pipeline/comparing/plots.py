"""The plots of a comparison, as SVG whose bytes depend on nothing but its figures and the releases."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.comparing.comparison import Comparison
from pipeline.comparing.contestants import SERVED
from pipeline.comparing.figures import TOP
from pipeline.evaluation.intervals import Interval

OURS, OTHERS = "#1b6e5a", "#b9c3c9"
INK, GRID = "#22303a", "#e3e8eb"
LINES: Final = ("#c2662d", "#3c6fb0", "#8a5aa5", "#7d8790", "#b59a2f")
"""Of those that ours is compared with, in the order of a plot."""
MAX_LINES: Final = 5
"""More of them in one plot cannot be told apart."""
STYLE: Final[dict[str, Any]] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "bookmesh",
    "font.family": "DejaVu Sans",  # comes with matplotlib: other fonts would lay it out by the machine
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRID,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def draw_plots(found: Comparison) -> dict[str, str]:
    """SVG by title; a plot that there is nothing for is left out."""
    with mpl.rc_context(STYLE):
        plots = {
            "What lists are worth": _draw_bars(found),
            "By what readers have read": _draw_lengths(found),
            "How far down the shelves lists reach": _draw_reach(found),
            "What more readers are worth": _draw_curve(found),
        }
        return {title: _save(figure) for title, figure in plots.items() if figure is not None}


def _draw_bars(found: Comparison) -> Figure:
    """Every model's recall and NDCG, with intervals."""
    names = [model.name for model in found.models]
    figure = Figure(figsize=(10, 0.9 + 0.34 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, name in zip(panels, (f"recall@{found.k}", f"NDCG@{TOP}"), strict=True):
        intervals = [model.figures.means[name] for model in found.models]
        colours = [OURS if each == SERVED else OTHERS for each in names]
        axes.barh(names, [each.mean for each in intervals], color=colours, height=0.68)
        means, errors = _bars_of(intervals)
        axes.errorbar(means, names, xerr=errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
        furthest = max(each.high for each in intervals)
        for at, each in enumerate(intervals):
            axes.text(each.high + furthest * 0.015, at, f"{each.mean:.3f}", va="center", fontsize=8.5)
        axes.set_title(name)
        axes.set_xlim(0, furthest * 1.12)
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)
    return figure


def _draw_lengths(found: Comparison) -> Figure | None:
    parts = [part for part in found.parts if part.group == "history"]
    if not parts:
        return None
    figure, axes = _open("books that readers have read", f"recall@{found.k}")
    names = [f"{part.name.replace(' books', '')}\n{part.n_users:,} readers" for part in parts]
    lines = {
        name: [part.models[name].means[f"recall@{found.k}"] for part in parts] for name in _choose(found)
    }
    _plot_lines(axes, range(len(parts)), lines)
    axes.set_xticks(range(len(parts)), names)
    axes.set_ylim(bottom=0)
    return figure


def _draw_reach(found: Comparison) -> Figure:
    figure, axes = _open("of the books, the most read first", "of the places in lists")
    shares = {model.name: model.reach for model in found.models}
    for name, colour in _colour(_choose(found)):
        axes.plot(
            found.heads, shares[name], color=colour, label=name, linewidth=2.4 if name == SERVED else 1.6
        )
    axes.plot(found.heads, found.read_reach, color=INK, linestyle=":", label="what is read")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower right")
    return figure


def _draw_curve(found: Comparison) -> Figure | None:
    if not found.curve:
        return None
    figure, axes = _open("readers learned from", f"recall@{found.k}")
    names = list(reversed(found.curve[0].recall))
    lines = {name: [point.recall[name] for point in found.curve] for name in names}
    _plot_lines(axes, [point.n_users for point in found.curve], lines)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylim(bottom=0)
    return figure


def _choose(found: Comparison) -> list[str]:
    """Ours, the baseline, and as many others as can be told apart."""
    names = [model.name for model in found.models]
    wanted = (SERVED, found.baseline, "classic system", "BM25 neighbours", "popularity", *reversed(names))
    return list(dict.fromkeys(name for name in wanted if name in names))[:MAX_LINES]


def _colour(names: Sequence[str]) -> list[tuple[str, str]]:
    others = iter(LINES)
    return [(name, OURS if name == SERVED else next(others)) for name in names]


def _plot_lines(axes: Any, x: Sequence[float], lines: Mapping[str, Sequence[Interval]]) -> None:
    for name, colour in _colour(list(lines)):
        means, errors = _bars_of(lines[name])
        width = 2.4 if name == SERVED else 1.6
        axes.errorbar(
            x, means, yerr=errors, color=colour, label=name, linewidth=width,
            elinewidth=1, capsize=2, marker="o", markersize=4,
        )  # fmt: skip
    axes.legend(loc="best")


def _bars_of(intervals: Sequence[Interval]) -> tuple[list[float], list[list[float]]]:
    """Means, and how far intervals reach below and above them."""
    below = [max(each.mean - each.low, 0) for each in intervals]
    above = [max(each.high - each.mean, 0) for each in intervals]
    return [each.mean for each in intervals], [below, above]


def _open(x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(axis="y")
    axes.tick_params(length=0)
    return figure, axes


def _save(figure: Figure) -> str:
    """From `<svg` on, so that it can stand in a page."""
    written = io.StringIO()
    FigureCanvasSVG(figure).print_svg(written, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = written.getvalue()
    return text[text.index("<svg") :]
