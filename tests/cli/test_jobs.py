"""`bookmesh jobs`, and `bookmesh train --if-due`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog import jobs
from catalog.database import Database
from catalog.jobs import JobKind
from cli.main import app
from tests.catalog.test_jobs import enqueue, take
from tests.homes import Home
from tests.worker.conftest import db, settings
from tests.worker.test_due import NOON, rate, seal

__all__ = ["db", "settings"]

Run = Callable[..., str]


@pytest.fixture
def run(db: Database, tmp_path: Path, environment: pytest.MonkeyPatch) -> Run:
    """Runs a command on the home of these settings, and returns all that it prints."""

    def invoke(*words: str, code: int = 0) -> str:
        done = CliRunner(env={"BOOKMESH_HOME": str(tmp_path), "COLUMNS": "200"}).invoke(app, words)
        assert done.exit_code == code, done.output
        return done.output

    return invoke


def test_an_operator_sees_what_failed_and_has_it_done_again(run: Run, db: Database) -> None:
    job_id = enqueue(db, JobKind.TRAIN)
    take(db)
    with db.session(write=True) as session:
        jobs.fail(session, job_id, "the disk [of ours] is full")

    listed, shown = run("jobs", "list"), run("jobs", "show", str(job_id))
    again = run("jobs", "retry", str(job_id))

    assert "the disk [of ours] is full" in listed
    assert "attempt 1" in shown
    assert f"job {job_id + 1} does again what job {job_id} was to do" in again
    assert "is queued" in run("jobs", "retry", str(job_id + 1), code=1)


def test_an_operator_cancels_a_job(run: Run, db: Database) -> None:
    job_id = enqueue(db, JobKind.TRAIN)

    answer = run("jobs", "cancel", str(job_id))

    assert answer.strip() == f"job {job_id} is cancelled"
    assert "cancelled by " in run("jobs", "list")
    assert "no job 999; `bookmesh jobs list`" in run("jobs", "cancel", "999", code=1)


def test_if_due_says_why_a_training_is_not_and_why_it_is(run: Run, db: Database, tmp_path: Path) -> None:
    none = run("train", "--if-due")
    rate(db, NOON)
    first = run("train", "--if-due", "--from", "polish", code=2)
    version = seal(tmp_path / "artifacts", NOON)
    night = run("train", "--if-due", "--from", "polish", code=2)

    assert none.strip() == "nothing to train: there are no ratings yet"
    assert "nothing was trained yet" in first
    assert f"a night has passed since {version}" in night


def test_a_training_settles_the_refresh_that_the_import_before_it_left(copied_home: Home) -> None:
    assert f"{copied_home.store.current()} was trained meanwhile" in copied_home.succeed("jobs", "list")
