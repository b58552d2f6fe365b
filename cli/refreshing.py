"""The command that brings the current version up to the books of now, without a training."""

from typing import TYPE_CHECKING

from artifacts.store import ArtifactStore
from catalog.database import open_database
from cli.console import err, out
from cli.progress import step_bars
from cli.reloading import find_servers, signal_servers
from telemetry.logs import configure_logging
from telemetry.tracing import recording

if TYPE_CHECKING:
    from pipeline.refresh import RefreshReport

MIB = 2**20


def refresh() -> None:
    """Publish new, changed, merged and withdrawn books by the models of the current version."""
    report = run_refresh()
    if report.version is None:
        out.print("nothing to refresh: the current version has the books of now")
    else:
        _print(report)


def run_refresh() -> "RefreshReport":
    """Refresh, and tell the servers of a new version. Raises PipelineError."""
    from pipeline.refresh import refresh as run
    from pipeline.settings import TrainSettings

    settings, servers = TrainSettings(), find_servers()
    db, store = open_database(settings.catalog_url), ArtifactStore(settings.artifacts_root)
    configure_logging("refresh", level="warning" if err.is_terminal else "info")
    with step_bars() as bars, recording("refresh", settings.telemetry):
        report = run(settings, db, store, progress=bars)
    if report.version is not None:
        signal_servers(servers)
    return report


def _print(report: "RefreshReport") -> None:
    steps = ", ".join(f"{run.name} {run.seconds:.1f}" for run in report.steps)
    out.print(
        f"[bold green]current[/] {report.version}, a refresh of {report.refresh_of}\n"
        f"books: {report.n_new:,} new, {report.n_changed:,} changed, {report.n_removed:,} no longer shown\n"
        f"renewed: {', '.join(report.renewed)}; {report.written_bytes / MIB:.1f} MiB written\n"
        f"seconds: {report.seconds:.1f} ({steps})",
        highlight=False,
        soft_wrap=True,
    )
