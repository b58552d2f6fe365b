"""Commands on the jobs of the worker: list, show, retry, cancel."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from catalog import jobs
from catalog.database import Database, open_database
from catalog.jobs import StoredJob
from catalog.schema import check_migrated
from catalog.settings import CatalogSettings
from catalog.tables import JobState
from cli.console import number, out
from cli.operator import read_operator

app = typer.Typer(no_args_is_help=True)
JobId = Annotated[int, typer.Argument(help="The job, as `bookmesh jobs list` numbers it.")]
COLORS = {JobState.DONE: "green", JobState.RUNNING: "yellow", JobState.FAILED: "red"}


@app.command("list")
def list_jobs(limit: Annotated[int, typer.Option(min=1, help="Most of them to list.")] = 20) -> None:
    """List the jobs, newest first: what waits, what runs, and what came of those that ended."""
    with _open().session() as session:
        found = jobs.list_jobs(session, limit=limit)
    table = Table(number("job"), "kind", "state", "queued", number("seconds"), "outcome", header_style="bold")
    for job in found:
        table.add_row(
            str(job.job_id), job.kind, _color(job.state), _moment(job.queued_at), _seconds(job),
            escape(job.outcome or ""),
        )  # fmt: skip
    out.print(table)


@app.command("show")
def show(job_id: JobId) -> None:
    """Show all of one job."""
    with _open().session() as session:
        job = jobs.read_job(session, job_id)
    table = Table(show_header=False)
    rows = {
        "job": f"{job.job_id} {job.kind}",
        "params": str(job.params or "-"),
        "state": _color(job.state),
        "queued": _moment(job.queued_at),
        "due": _moment(job.due_at),
        "begun": f"{_moment(job.started_at)}, attempt {job.attempts}" if job.started_at else "-",
        "ended": _moment(job.finished_at),
        "outcome": escape(job.outcome or "-"),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    out.print(table)


@app.command("retry")
def retry(job_id: JobId) -> None:
    """Enqueue again what a failed or cancelled job was to do."""
    with _open().session(write=True) as session:
        again = jobs.retry(session, job_id)
    out.print(f"job {again} does again what job {job_id} was to do", highlight=False)


@app.command("cancel")
def cancel(job_id: JobId) -> None:
    """Take a job out of the queue, or stop it; a training then waits for the next night."""
    with _open().session(write=True) as session:
        job = jobs.cancel(session, job_id, by=read_operator())
    running = "; the worker stops it within seconds" if job.started_at else ""
    out.print(f"job {job_id} is cancelled{running}", highlight=False)


def _color(state: JobState) -> str:
    color = COLORS.get(state)
    return f"[{color}]{state}[/]" if color else state


def _moment(at: float | None) -> str:
    return "-" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _seconds(job: StoredJob) -> str:
    if job.started_at is None or job.finished_at is None:
        return "-"
    return f"{job.finished_at - job.started_at:.1f}"


def _open() -> Database:
    db = open_database(CatalogSettings().catalog_url)
    check_migrated(db)
    return db
