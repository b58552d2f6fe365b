"""The worker's turns: jobs are small programs here, as real as those of a training."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from prometheus_client import CollectorRegistry

from catalog import jobs
from catalog.database import Database
from catalog.jobs import JobKind, StoredJob
from catalog.tables import JobState
from foundation.lock import hold_lock
from pipeline.errors import AlreadyTraining
from tests.catalog.test_jobs import enqueue, lose, read
from tests.meshes import wait_until
from worker.child import TRY_AGAIN_CODE
from worker.metrics import WorkerMetrics
from worker.settings import WorkerSettings
from worker.worker import Worker

SAY = "print('a warning of some library'); print('three new books')"
FAIL = "import sys; print('the disk is full'); sys.exit(1)"
CRASH = "import os, signal; print('half a word'); os.kill(os.getpid(), signal.SIGKILL)"
SULK = "import sys; sys.exit(9)"
BE_REFUSED = f"import sys; print('another process trains'); sys.exit({TRY_AGAIN_CODE})"
SLEEP = "import time; time.sleep(60)"
SLEEP_BRIEFLY = "import time; time.sleep(0.5); print('three new books')"

Make = Callable[..., Worker]


@pytest.fixture
def make(settings: WorkerSettings, db: Database) -> Iterator[Make]:
    """Builds workers whose jobs are all this program; they are stopped at the end."""
    made: list[Worker] = []

    def build(program: str) -> Worker:
        def command(job: StoredJob) -> list[str]:
            return [sys.executable, "-c", program]

        metrics = WorkerMetrics(CollectorRegistry())
        made.append(Worker(settings, db, metrics, command=command, can_train=True))
        return made[-1]

    yield build
    for each in made:
        each.stop()


def work(worker: Worker, db: Database, job_id: int, *, until: JobState) -> StoredJob:
    """Turn the worker until the job is in this state."""
    wait_until(lambda: (worker.turn(), read(db, job_id).state is until)[1])
    return read(db, job_id)


def find_child() -> psutil.Process:
    """The youngest: ids are used again, and servers of other tests are children of this process too."""
    return max(psutil.Process().children(), key=psutil.Process.create_time)


@pytest.mark.parametrize(
    ("program", "state", "outcome"),
    [
        (SAY, JobState.DONE, "three new books"),
        (FAIL, JobState.FAILED, "the disk is full"),
        (
            CRASH,
            JobState.FAILED,
            "its process was ended by SIGKILL, as a system does that runs out of memory",
        ),
        (SULK, JobState.FAILED, "its process ended with 9 and no word; the log of the worker may tell more"),
    ],
)
def test_a_job_ends_with_what_its_process_said_last(
    program: str, state: JobState, outcome: str, make: Make, db: Database
) -> None:
    job_id, worker = enqueue(db), make(program)

    job = work(worker, db, job_id, until=state)

    assert job.outcome == outcome
    assert worker.doing == "idle"


def test_a_job_whose_process_cannot_be_started_fails(
    make: Make, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, worker = enqueue(db), make(SAY)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(OSError, match="/nowhere/python"):
        worker.turn()

    assert read(db, job_id).state is JobState.FAILED
    assert worker.doing == "idle"


def test_a_job_is_begun_only_when_it_is_due_and_one_at_a_time(make: Make, db: Database) -> None:
    first, second = enqueue(db, JobKind.TRAIN), enqueue(db)
    later = enqueue(db, delay_s=60, n=1)
    worker = make(SLEEP)

    for _ in range(3):
        worker.turn()

    assert worker.doing == f"train {first}"
    assert [read(db, job_id).state for job_id in (first, second, later)] == ["running", "queued", "queued"]


def test_a_job_waits_while_somebody_trains_by_hand(
    make: Make, db: Database, settings: WorkerSettings
) -> None:
    job_id, worker = enqueue(db), make(SAY)
    with hold_lock(settings.lock_path, AlreadyTraining):
        worker.turn()
        meanwhile = read(db, job_id)

    work(worker, db, job_id, until=JobState.DONE)

    assert (meanwhile.state, meanwhile.attempts) == (JobState.QUEUED, 0)


def test_a_job_whose_process_was_refused_the_lock_waits_a_while(make: Make, db: Database) -> None:
    job_id, worker = enqueue(db), make(BE_REFUSED)
    worker.turn()

    job = work(worker, db, job_id, until=JobState.QUEUED)

    assert job.attempts == 0
    assert job.due_at > time.time() + 1


def test_a_cancelled_job_is_stopped(make: Make, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.worker.KEEP_ALIVE_S", 0.0)
    job_id, worker = enqueue(db), make(SLEEP)
    worker.turn()
    child = find_child()

    with db.session(write=True) as session:
        jobs.cancel(session, job_id, by="ann")
    worker.turn()

    assert not child.is_running()
    assert worker.doing == "idle"
    assert read(db, job_id).outcome == "cancelled by ann"


def test_a_worker_that_stops_puts_a_training_back_at_once(make: Make, db: Database) -> None:
    job_id, worker = enqueue(db, JobKind.TRAIN), make(SLEEP)
    worker.turn()
    child, started_s = find_child(), time.monotonic()

    worker.stop()
    worker.turn()

    assert time.monotonic() - started_s < 2
    assert not child.is_running()
    assert (read(db, job_id).state, read(db, job_id).attempts) == (JobState.QUEUED, 0)


def test_a_worker_that_stops_lets_a_refresh_end(make: Make, db: Database) -> None:
    job_id, worker = enqueue(db), make(SLEEP_BRIEFLY)
    worker.turn()

    worker.stop()

    assert (read(db, job_id).state, read(db, job_id).outcome) == (JobState.DONE, "three new books")


def test_but_not_for_ever(make: Make, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.worker.FINISH_REFRESH_S", 0.1)
    job_id, worker = enqueue(db), make(SLEEP)
    worker.turn()

    worker.stop()

    assert read(db, job_id).state is JobState.QUEUED


def test_a_process_that_does_not_heed_the_signal_is_killed(
    make: Make, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.child.KILL_AFTER_S", 0.1)
    enqueue(db, JobKind.TRAIN)
    worker = make(SLEEP)
    worker.turn()
    child = find_child()
    os.kill(child.pid, signal.SIGSTOP)  # a stopped process does not see SIGTERM

    worker.stop()

    assert not child.is_running()


def test_a_job_of_a_dead_worker_is_done_by_the_next(make: Make, db: Database) -> None:
    job_id = enqueue(db, JobKind.TRAIN)
    make(SLEEP).turn()
    lose(db)

    job = work(make(SAY), db, job_id, until=JobState.DONE)

    assert job.attempts == 2


def test_a_database_that_is_away_for_a_moment_loses_no_outcome(
    make: Make, db: Database, tmp_path: Path
) -> None:
    job_id, worker = enqueue(db), make(SAY)
    worker.turn()
    find_child().wait()
    path = tmp_path / "catalog.db"
    aside = path.rename(tmp_path / "aside.db")

    with pytest.raises(Exception, match="is gone"):
        worker.turn()
    aside.rename(path)

    assert work(worker, db, job_id, until=JobState.DONE).outcome == "three new books"
