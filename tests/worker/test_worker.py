"""The worker's turns: jobs are small functions here, in processes as real as those of a training."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest
from prometheus_client import CollectorRegistry

from catalog import jobs
from catalog.database import Database
from catalog.jobs import JobKind, StoredJob
from catalog.tables import JobState
from foundation.lock import hold_lock
from notifications.notifier import Notifier
from notifications.settings import NotifySettings
from pipeline.errors import AlreadyTraining
from tests.catalog.test_jobs import enqueue, lose, read
from tests.meshes import wait_until
from tests.notifications.hooks import receiver
from worker.forker import TRY_AGAIN_CODE, Do, Forker
from worker.metrics import WorkerMetrics
from worker.settings import WorkerSettings
from worker.worker import Worker


def say(job: StoredJob) -> tuple[str, int]:
    print("a warning of some library")
    return "three new books", 0


def fail(job: StoredJob) -> tuple[str, int]:
    return "the disk is full", 1


def crash(job: StoredJob) -> tuple[str, int]:
    os.kill(os.getpid(), signal.SIGKILL)
    return "", 0


def sulk(job: StoredJob) -> tuple[str, int]:
    sys.exit(9)


def be_refused(job: StoredJob) -> tuple[str, int]:
    return "another process trains", TRY_AGAIN_CODE


def sleep(job: StoredJob) -> tuple[str, int]:
    time.sleep(60)
    return "", 0


def sleep_briefly(job: StoredJob) -> tuple[str, int]:
    time.sleep(0.5)
    return say(job)


Make = Callable[..., Worker]


@pytest.fixture
def make(settings: WorkerSettings, db: Database) -> Iterator[Make]:
    """Builds workers all of whose jobs do this; they are stopped at the end."""
    with ExitStack() as made:

        def build(do: Do) -> Worker:
            forker = made.enter_context(closing(Forker(do)))
            notifier = Notifier(NotifySettings(home=settings.home))
            metrics = WorkerMetrics(CollectorRegistry())
            worker = Worker(settings, db, metrics, forker, notifier, can_train=True)
            made.callback(worker.stop)
            return worker

        yield build


def test_a_training_that_is_killed_is_told_of_since_it_could_not_tell_itself(
    make: Make, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as hook:
        monkeypatch.setenv("BOOKMESH_NOTIFY__WEBHOOK_URL", hook.url)
        worker = make(crash)
        work(worker, db, enqueue(db, kind=JobKind.REFRESH), until=JobState.FAILED)
        work(worker, db, enqueue(db, kind=JobKind.TRAIN), until=JobState.FAILED)
        wait_until(lambda: hook.posts)

    [(_, body)] = hook.posts
    assert json.loads(body)["kind"] == "training_failed"
    assert "SIGKILL" in json.loads(body)["text"]


def work(worker: Worker, db: Database, job_id: int, *, until: JobState) -> StoredJob:
    """Turn the worker until the job is in this state."""
    wait_until(lambda: (worker.turn(), read(db, job_id).state is until)[1])
    return read(db, job_id)


def find_job() -> psutil.Process:
    """The process of the job that runs, once it does."""
    # The youngest: ids are used again, and servers of other tests are children of this process too.
    forker = max(psutil.Process().children(), key=psutil.Process.create_time)
    wait_until(forker.children)
    [job] = forker.children()
    return job


@pytest.mark.parametrize(
    ("do", "state", "outcome"),
    [
        (say, JobState.DONE, "three new books"),
        (fail, JobState.FAILED, "the disk is full"),
        (
            crash,
            JobState.FAILED,
            "its process was ended by SIGKILL, as a system does that runs out of memory",
        ),
        (sulk, JobState.FAILED, "its process ended with 9 and no word; the log of the worker may tell more"),
    ],
)
def test_a_job_ends_with_what_its_process_said_last(
    do: Do, state: JobState, outcome: str, make: Make, db: Database
) -> None:
    job_id, worker = enqueue(db), make(do)

    job = work(worker, db, job_id, until=state)

    assert job.outcome == outcome
    assert worker.doing == "idle"


def test_a_job_is_begun_only_when_it_is_due_and_one_at_a_time(make: Make, db: Database) -> None:
    first, second = enqueue(db, JobKind.TRAIN), enqueue(db)
    later = enqueue(db, delay_s=60, n=1)
    worker = make(sleep)

    for _ in range(3):
        worker.turn()

    assert worker.doing == f"train {first}"
    assert [read(db, job_id).state for job_id in (first, second, later)] == ["running", "queued", "queued"]


def test_a_job_waits_while_somebody_trains_by_hand(
    make: Make, db: Database, settings: WorkerSettings
) -> None:
    job_id, worker = enqueue(db), make(say)
    with hold_lock(settings.lock_path, AlreadyTraining):
        worker.turn()
        meanwhile = read(db, job_id)

    work(worker, db, job_id, until=JobState.DONE)

    assert (meanwhile.state, meanwhile.attempts) == (JobState.QUEUED, 0)


def test_a_job_whose_process_was_refused_the_lock_waits_a_while(make: Make, db: Database) -> None:
    job_id, worker = enqueue(db), make(be_refused)
    worker.turn()

    job = work(worker, db, job_id, until=JobState.QUEUED)

    assert job.attempts == 0
    assert job.due_at > time.time() + 1


def test_a_cancelled_job_is_stopped(make: Make, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.worker.KEEP_ALIVE_S", 0.0)
    job_id, worker = enqueue(db), make(sleep)
    worker.turn()
    child = find_job()

    with db.session(write=True) as session:
        jobs.cancel(session, job_id, by="ann")
    worker.turn()

    assert not child.is_running()
    assert worker.doing == "idle"
    assert read(db, job_id).outcome == "cancelled by ann"


def test_a_worker_that_stops_puts_a_training_back_at_once(make: Make, db: Database) -> None:
    job_id, worker = enqueue(db, JobKind.TRAIN), make(sleep)
    worker.turn()
    child, started_s = find_job(), time.monotonic()

    worker.stop()
    worker.turn()

    assert time.monotonic() - started_s < 10
    assert not child.is_running()
    assert (read(db, job_id).state, read(db, job_id).attempts) == (JobState.QUEUED, 0)


def test_a_worker_that_stops_lets_a_refresh_end(make: Make, db: Database) -> None:
    job_id, worker = enqueue(db), make(sleep_briefly)
    worker.turn()

    worker.stop()

    assert (read(db, job_id).state, read(db, job_id).outcome) == (JobState.DONE, "three new books")


def test_but_not_for_ever(make: Make, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.worker.FINISH_REFRESH_S", 0.1)
    job_id, worker = enqueue(db), make(sleep)
    worker.turn()

    worker.stop()

    assert read(db, job_id).state is JobState.QUEUED


def test_a_process_that_does_not_heed_the_signal_is_killed(
    make: Make, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.forker.KILL_AFTER_S", 0.1)
    enqueue(db, JobKind.TRAIN)
    worker = make(sleep)
    worker.turn()
    child = find_job()
    os.kill(child.pid, signal.SIGSTOP)  # a stopped process does not see SIGTERM

    worker.stop()

    assert not child.is_running()


def test_a_job_of_a_dead_worker_is_done_by_the_next(make: Make, db: Database) -> None:
    job_id = enqueue(db, JobKind.TRAIN)
    make(sleep).turn()
    lose(db)

    job = work(make(say), db, job_id, until=JobState.DONE)

    assert job.attempts == 2


def test_a_database_that_is_away_for_a_moment_loses_no_outcome(
    make: Make, db: Database, tmp_path: Path
) -> None:
    job_id, worker = enqueue(db), make(say)
    worker.turn()
    path = tmp_path / "catalog.db"
    aside = path.rename(tmp_path / "aside.db")

    with pytest.raises(Exception, match="is gone"):
        wait_until(worker.turn)
    aside.rename(path)

    assert work(worker, db, job_id, until=JobState.DONE).outcome == "three new books"
