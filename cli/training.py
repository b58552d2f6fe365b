"""The command that makes versions."""

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from artifacts.manifest import GateCheck, Manifest
from artifacts.store import ArtifactStore
from catalog.database import Database, open_database
from catalog.jobs import JobKind, settle
from catalog.schema import check_migrated
from catalog.settings import CatalogSettings
from cli.console import err, fail, number, out
from cli.installation import check_can_train
from cli.notifying import telling_of_failure
from cli.progress import step_bars
from cli.reloading import find_servers, signal_servers
from notifications.notice import describe_promotion, describe_refusal
from notifications.notifier import Notifier
from notifications.settings import NotifySettings
from telemetry.logs import configure_logging
from telemetry.tracing import recording
from worker.due import Due, check_training
from worker.settings import WorkerSettings

if TYPE_CHECKING:
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
    if_due: Annotated[
        bool,
        typer.Option(
            "--if-due", help="Do nothing unless a night has passed since, or many new ratings have come."
        ),
    ] = False,
    accept_incomparable: Annotated[
        bool,
        typer.Option(
            "--accept-incomparable",
            help="Promote even if there is no way to compare with the current version.",
        ),
    ] = False,
) -> None:
    """Run the nine steps; promote the new version if the gate passes, else exit with code 3."""
    store = ArtifactStore(CatalogSettings().artifacts_root)
    if if_none and (current := store.current()):
        err.print(f"version {current} is current; nothing to train", highlight=False)
        return
    if if_due:
        due = _check_due()
        err.print(due.why if due.is_due else f"nothing to train: {due.why}", highlight=False)
        if not due.is_due:
            return
    from pipeline.stepping.stepper import STEPS

    if from_step is not None and from_step not in STEPS:
        fail(f"no step is called {from_step!r}; the steps are {', '.join(STEPS)}", code=2)
    report = run_training(from_step=from_step, accept_incomparable=accept_incomparable)
    _print_run(report)
    if not report.promoted:
        raise typer.Exit(REFUSED_CODE)


def run_training(*, from_step: str | None = None, accept_incomparable: bool = False) -> "RunReport":
    """Train, and tell the servers of what passes the gate. Raises TrainingNotInstalled or PipelineError."""
    check_can_train()
    from pipeline.settings import TrainSettings

    settings, servers, notifier = TrainSettings(), find_servers(), Notifier(NotifySettings())
    db, store = open_database(settings.catalog_url), ArtifactStore(settings.artifacts_root)
    check_migrated(db)
    # Torch and its like take seconds to import: no other command should wait, nor an operator's mistake.
    from pipeline.run import train as run

    # A terminal shows bars; a log gets one JSON line a step.
    configure_logging("train", level="warning" if err.is_terminal else "info")
    former = store.current()
    with (
        step_bars() as bars,
        recording("train", settings.telemetry),
        telling_of_failure(notifier, bars, former),
    ):
        report = run(
            settings,
            db,
            store,
            from_step=from_step,
            accept_incomparable=accept_incomparable,
            progress=bars,
        )
    manifest = store.manifest(report.version)
    if report.promoted:
        signal_servers(servers)
        _settle_refreshes(db, manifest)
        notifier.send(describe_promotion(manifest, former, by="bookmesh train", why="passed the gate"))
    else:
        notifier.send(describe_refusal(manifest, former))
    return report


def _settle_refreshes(db: Database, trained: Manifest) -> None:
    """The version knows what they were to bring, if it changed before the catalog was read."""
    assert trained.catalog_read_at is not None
    with db.session(write=True) as session:
        outcome = f"{trained.version} was trained meanwhile"
        settle(session, JobKind.REFRESH, before=trained.catalog_read_at.timestamp(), outcome=outcome)


def _check_due() -> Due:
    settings = WorkerSettings()
    with closing(open_database(settings.catalog_url)) as db:
        check_migrated(db)
        with db.session() as session:
            return check_training(settings.worker, settings.artifacts_root, session, now=datetime.now(UTC))


def _print_run(report: "RunReport") -> None:
    steps = Table("step", "data", number("seconds"), title="Steps", header_style="bold")
    for run in report.steps:
        steps.add_row(f"{run.number} {run.name}", run.data, "kept" if run.reused else f"{run.seconds:.1f}")
    out.print(steps)
    checks = Table("check", "value", "threshold", "", "detail", title="Gate", header_style="bold")
    told = [check for check in report.verdict.checks if check.failed or check.skipped or check.n_readers]
    for check in told:
        checks.add_row(check.name, _figure(check.value), _figure(check.threshold), _mark(check), check.detail)
    out.print(checks)
    if n_more := len(report.verdict.checks) - len(told):
        out.print(f"{n_more} more checks, of whole models, passed")
    if report.promoted:
        skipped = f"; not made: {', '.join(report.skipped_checks)}" if report.skipped_checks else ""
        out.print(f"[bold green]promoted[/] {report.version} after {report.seconds:.0f} s{skipped}")
    else:
        failed = ", ".join(report.failed_checks)
        out.print(
            f"[bold red]refused[/] {report.version} ({failed}); the running version stays. "
            f"`bookmesh versions show {report.version}` has the details."
        )


def _mark(check: GateCheck) -> str:
    if check.skipped:
        return "[bold yellow]NOT MADE[/]" if check.value is None else "[yellow]not judged[/]"
    return "[green]pass[/]" if check.passed else "[bold red]FAIL[/]"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
