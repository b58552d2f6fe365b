"""Commands that make versions: train, and evaluate, which measures what the current one is worth."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from artifacts.errors import ArtifactError
from artifacts.store import ArtifactStore
from catalog.database import check_migrated, open_database
from catalog.errors import CatalogError
from catalog.settings import CatalogSettings
from cli.console import err, fail, failing_clearly, out
from pipeline.errors import PipelineError
from telemetry.logs import configure_logging

if TYPE_CHECKING:
    from pipeline.progress import StepRun
    from pipeline.report import RunReport


REFUSED_CODE = 3
"""Exit code of `bookmesh train` when the gate refuses, for the timer that runs it; 1 and 2 are failures."""


def train(
    from_step: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="Repeat this step and all after it.")
    ] = None,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Do nothing if a version is current already.")
    ] = False,
) -> None:
    """Run the nine steps; promote the new version if the gate passes, else exit with code 3."""
    store = ArtifactStore(CatalogSettings().artifacts_root)
    if if_none and (current := store.current()):
        err.print(f"version {current} is current; nothing to train", highlight=False)
        return
    from pipeline.settings import TrainSettings
    from pipeline.stepper import STEPS

    if from_step is not None and from_step not in STEPS:
        fail(f"no step is called {from_step!r}; the steps are {', '.join(STEPS)}", code=2)
    settings = TrainSettings()
    with failing_clearly(CatalogError):
        db = open_database(settings.catalog_url)
        check_migrated(db)
    # Torch and its like take seconds to import: no other command should wait, nor an operator's mistake.
    from pipeline.run import train as run

    # A terminal shows bars; a log gets one JSON line a step.
    configure_logging("train", level="warning" if err.is_terminal else "info")
    with failing_clearly(ArtifactError, CatalogError, PipelineError), _step_bars() as bars:
        report = run(settings, db, store, from_step=from_step, progress=bars)
    _print_run(report)
    if not report.promoted:
        raise typer.Exit(REFUSED_CODE)


def evaluate() -> None:
    """Measure the current version against the baselines, on the readers that were held out."""
    from pipeline.compare import compare
    from pipeline.settings import TrainSettings

    with failing_clearly(ArtifactError, CatalogError, PipelineError), err.status("measuring"):
        settings = TrainSettings()
        report = compare(
            settings, open_database(settings.catalog_url), ArtifactStore(settings.artifacts_root)
        )
    table = Table(
        title=f"{report.n_users:,} held-out readers",
        caption=f"served: {report.version}, held out: {report.split_id}",
        header_style="bold",
    )
    table.add_column("model")
    recall, ndcg = f"recall@{report.k}", f"ndcg@{report.ndcg_k}"
    for column in (f"{recall} [95 %]", "× classic system", "what is served gains [95 %]", ndcg):
        table.add_column(column, justify="right")
    for row in report.rows:
        table.add_row(
            row.model,
            f"{row.recall:.4f} [{row.low:.4f}, {row.high:.4f}]",
            f"{row.recall / report.classic_recall:.2f}",
            f"{row.served_gain:+.4f} [{row.served_gain_low:+.4f}, {row.served_gain_high:+.4f}]",
            f"{row.ndcg:.4f}",
        )
    out.print(table)


class _StepBars:
    """Draws the running step as a bar and leaves a line for each finished one."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def step_started(self, number: int, name: str, data: str) -> None:
        self._task = self._progress.add_task(f"{number} {name} ({data})", total=1.0)

    def step_advanced(self, share: float) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=share)

    def step_finished(self, run: "StepRun") -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        if self._progress.console.is_terminal:
            took = "kept from an earlier run" if run.reused else f"{run.seconds:.1f} s"
            self._progress.console.print(
                f"  {run.number} {run.name:<10} {run.data:<6} {took}", highlight=False
            )


@contextmanager
def _step_bars() -> Iterator[_StepBars]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield _StepBars(progress)


def _print_run(report: "RunReport") -> None:
    steps = Table(title="Steps", header_style="bold")
    for column in ("step", "data"):
        steps.add_column(column)
    steps.add_column("seconds", justify="right")
    for run in report.steps:
        steps.add_row(f"{run.number} {run.name}", run.data, "kept" if run.reused else f"{run.seconds:.1f}")
    out.print(steps)
    checks = Table(title="Gate", header_style="bold")
    for column in ("check", "value", "threshold", "", "detail"):
        checks.add_column(column)
    for check in report.verdict.checks:
        mark = "[green]pass[/]" if check.passed else "[bold red]FAIL[/]"
        checks.add_row(check.name, _figure(check.value), _figure(check.threshold), mark, check.detail)
    out.print(checks)
    if report.promoted:
        out.print(f"[bold green]promoted[/] {report.version} after {report.seconds:.0f} s")
    else:
        failed = ", ".join(report.failed_checks)
        out.print(
            f"[bold red]refused[/] {report.version} ({failed}); the running version stays. "
            f"`bookmesh versions show {report.version}` has the details."
        )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
