"""Commands on the gate: how it has judged the versions so far."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.table import Table

from artifacts.manifest import GateCheck
from cli.console import out
from cli.moving import open_store

if TYPE_CHECKING:
    from pipeline.history import Judged

app = typer.Typer(no_args_is_help=True)

RECALL, NDCG = "recall@30", "ndcg@10"
OUTCOMES: Final = {
    "promoted": "[green]promoted[/]",
    "refused": "[bold red]refused[/]",
    "forced": "[bold red]forced[/]",
    "passed": "[green]passed[/]",
}
MARKS: Final = {"passed": "[green]✓[/]", "failed": "[bold red]✗[/]", "skipped": "[yellow]·[/]", "absent": " "}
WIDE: Final = 110
"""Columns from which on intervals and readers are shown too."""
SVG_WIDTH: Final = 120


@app.callback()
def gate() -> None:
    """See how the gate has judged versions."""


@app.command("history")
def history(
    last: Annotated[int, typer.Option(min=1, help="Versions that are shown, the newest.")] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="All versions, with all checks and figures.")
    ] = False,
    svg: Annotated[Path | None, typer.Option(help="Write the picture into this file instead.")] = None,
) -> None:
    """Show verdicts and figures over versions, oldest first, those that are gone by their reports."""
    from pipeline.history import read_history
    from pipeline.settings import TrainSettings

    judged = read_history(open_store(), TrainSettings().reports_path)
    if as_json:
        out.print_json(json.dumps([each.describe() for each in judged]))
    elif not judged:
        out.print("no version was judged yet; `bookmesh train` makes the first")
    elif svg is not None:
        console = Console(record=True, width=SVG_WIDTH, file=io.StringIO())
        console.print(draw(judged[-last:], SVG_WIDTH))
        svg.write_text(console.export_svg(title="bookmesh gate history"))
        out.print(f"written: {svg}")
    else:
        out.print(draw(judged[-last:], out.width))


def draw(judged: Sequence["Judged"], width: int) -> RenderableType:
    """Versions and their checks in so many columns."""
    by_name = [{check.name: check for check in each.verdict.checks} for each in judged]
    names = list(dict.fromkeys(name for checks in reversed(by_name) for name in checks))
    told = [name for name in names if _tells(name, by_name)]
    notes = ["a mark a version, the newest last: ✓ passed, ✗ refused it, · not judged"]
    if len(told) < len(names):
        notes.append(f"{len(names) - len(told)} more checks, of whole models, have always passed")
    return Group(_draw_versions(judged, width), "", _draw_checks(told, by_name, width), *notes)


def _draw_versions(judged: Sequence["Judged"], width: int) -> Table:
    """Each version with its outcome, and recall as a bar."""
    table = Table(title="Versions", header_style="bold", expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("version", no_wrap=True)
    table.add_column("gate", no_wrap=True)
    table.add_column(RECALL, ratio=1)
    table.add_column("mean [95 %]" if width >= WIDE else "mean", justify="right", no_wrap=True)
    table.add_column(NDCG, justify="right", no_wrap=True)
    largest = max((_read_mean(each.metrics, RECALL) or 0.0 for each in judged), default=0.0)
    for each in judged:
        mean, ndcg = _read_mean(each.metrics, RECALL), _read_mean(each.metrics, NDCG)
        bar = "" if mean is None else Bar(largest, 0, mean, color="green" if each.verdict.passed else "red")
        table.add_row(
            "→" if each.is_current else "",
            each.version,
            OUTCOMES[each.outcome],
            bar,
            _format_interval(each.metrics.get(RECALL), is_wide=width >= WIDE),
            "-" if ndcg is None else f"{ndcg:.4f}",
        )
    return table


def _draw_checks(names: Sequence[str], by_name: Sequence[Mapping[str, GateCheck]], width: int) -> Table:
    """Each check with its marks, one a version, and the figures of the newest."""
    table = Table(title="Checks", header_style="bold")
    headers = ("check", "versions", "newest", "bound", "mean", "95 % interval", "readers")
    for place, header in enumerate(headers[:7] if width >= WIDE else headers[:4]):
        table.add_column(header, justify="right" if place > 1 else "left", no_wrap=True)
    for name in names:
        newest = next(checks[name] for checks in reversed(by_name) if name in checks)
        marks = "".join(_mark(checks.get(name)) for checks in by_name)
        table.add_row(name, marks, *_describe(newest)[: len(table.columns) - 2])
    return table


def _tells(name: str, by_name: Sequence[Mapping[str, GateCheck]]) -> bool:
    """Whether a check measures readers, or has ever refused a version or not been made."""
    checks = [checks[name] for checks in by_name if name in checks]
    # Versions before 0.7.0 do not say over how many readers they were measured.
    is_of_readers = "_over_" in name or any(check.n_readers is not None for check in checks)
    return is_of_readers or any(check.failed or check.value is None for check in checks)


def _mark(check: GateCheck | None) -> str:
    if check is None:
        return MARKS["absent"]
    return MARKS["skipped" if check.skipped else "passed" if check.passed else "failed"]


def _describe(check: GateCheck) -> list[str]:
    interval = "-" if check.interval is None else "[{:+.4f}, {:+.4f}]".format(*check.interval)
    readers = "-" if check.n_readers is None else f"{check.n_readers:,}"
    return [_figure(check.value), _figure(check.threshold), _figure(check.mean), interval, readers]


def _read_mean(metrics: Mapping[str, Any], name: str) -> float | None:
    match metrics.get(name):
        case {"mean": float(mean)}:
            return mean
    return None


def _format_interval(figure: object, *, is_wide: bool) -> str:
    match figure:
        case {"mean": float(mean), "low": float(low), "high": float(high)}:
            return f"{mean:.4f} [{low:.4f}, {high:.4f}]" if is_wide else f"{mean:.4f}"
    return "-"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
