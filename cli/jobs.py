"""Commands on the jobs of the worker: list, show, retry, cancel."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from catalog import jobs
from catalog.database import Database, open_database
from catalog.jobs import StoredJob
from catalog.schema import check_migrated
from catalog.settings import CatalogSettings
from catalog.tables import JobState
from cli.changes import reading
from cli.console import number, out
from cli.operator import read_operator
from cli.tables import Cell, print_fields, print_rows

app = typer.Typer(
    help="List what the worker does and did; cancel it, or have it done again.", no_args_is_help=True
)
JobId = Annotated[int, typer.Argument(help="The job, as `bookmesh jobs list` numbers it.")]
COLORS = {JobState.DONE: "green", JobState.RUNNING: "yellow", JobState.FAILED: "red"}


@app.command("list")
def list_jobs(limit: Annotated[int, typer.Option(min=1, help="Most of them to list.")] = 20) -> None:
    """List the jobs, newest first: what waits, what runs, and what came of those that ended."""
    with reading() as session:
        found = jobs.list_jobs(session, limit=limit)
    columns = number("job"), "kind", "state", "queued", number("seconds"), "outcome"
    print_rows(columns, map(_to_cells, found))


@app.command("show")
def show(job_id: JobId) -> None:
    """Show all of one job."""
    with reading() as session:
        job = jobs.read_job(session, job_id)
    params = ", ".join(f"{name} {value}" for name, value in job.params.items())
    print_fields({
        "job": f"{job.job_id} {job.kind}",
        "params": params,
        "state": _color(job.state),
        "queued": _moment(job.queued_at),
        "due": _moment(job.due_at),
        "begun": f"{_moment(job.started_at)}, attempt {job.attempts}" if job.started_at else None,
        "ended": _moment(job.finished_at) if job.finished_at else None,
        "outcome": job.outcome,
    })  # fmt: skip


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


def _to_cells(job: StoredJob) -> tuple[Cell, ...]:
    return job.job_id, job.kind, _color(job.state), _moment(job.queued_at), _seconds(job), job.outcome


def _color(state: JobState) -> Text:
    return Text(state, COLORS.get(state, ""))


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _seconds(job: StoredJob) -> str:
    if job.started_at is None or job.finished_at is None:
        return "-"
    return f"{job.finished_at - job.started_at:.1f}"


def _open() -> Database:
    db = open_database(CatalogSettings().catalog_url)
    check_migrated(db)
    return db
