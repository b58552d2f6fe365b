"""The process that forks those of jobs: what becomes of a job when it, or the next one, cannot go on."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.context import ForkProcess

import psutil
import pytest

from catalog.jobs import StoredJob
from catalog.tables import JobState
from tests.meshes import wait_until
from worker.errors import ForkerGone
from worker.forker import FORK, Ending, Forker


def make_job(kind: str) -> StoredJob:
    times = {"due_at": 0.0, "queued_at": 0.0, "started_at": 0.0, "finished_at": None}
    return StoredJob(1, kind, JobState.RUNNING, {}, **times, attempts=1, outcome=None)


def say(job: StoredJob) -> tuple[str, int]:
    return f"{job.kind} by {os.getppid()}", 0


def sleep(job: StoredJob) -> tuple[str, int]:
    time.sleep(60)
    return "", 0


def test_jobs_are_forked_from_one_process() -> None:
    endings = []
    with closing(Forker(say)) as forker:
        for kind in ("refresh", "train"):
            forker.begin(make_job(kind))
            endings.append(forker.wait(20))
        [pid] = {child.pid for child in multiprocessing.active_children()}

    assert endings == [Ending(0, f"refresh by {pid}"), Ending(0, f"train by {pid}")]
    assert not psutil.pid_exists(pid)


def test_a_process_that_cannot_be_started_fails_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    start = FORK.Process.start

    def refuse(process: ForkProcess) -> None:
        if multiprocessing.parent_process() is not None:
            raise OSError("Cannot allocate memory")
        start(process)

    monkeypatch.setattr(FORK.Process, "start", refuse)
    with closing(Forker(say)) as forker:
        forker.begin(make_job("refresh"))

        ending = forker.wait(20)

    assert ending == Ending(1, "its process cannot be started: Cannot allocate memory")


def test_a_job_that_ends_as_it_is_told_to_has_one_ending() -> None:
    with closing(Forker(say)) as forker:
        forker.begin(make_job("refresh"))
        time.sleep(0.3)
        stopped = forker.stop()
        forker.begin(make_job("train"))

        ending = forker.wait(20)

    assert stopped.sentence.startswith("refresh by")
    assert ending is not None
    assert ending.sentence.startswith("train by")


@pytest.fixture
def killed() -> Iterator[tuple[Forker, psutil.Process]]:
    """One that was killed, and the process of its job."""
    with closing(Forker(sleep)) as forker:
        forker.begin(make_job("train"))
        process = max(psutil.Process().children(), key=psutil.Process.create_time)
        wait_until(process.children)
        [job] = process.children()
        process.send_signal(signal.SIGKILL)
        yield forker, job


def test_its_job_does_not_outlive_it(killed: tuple[Forker, psutil.Process]) -> None:
    forker, job = killed

    wait_until(lambda: not job.is_running())

    with pytest.raises(ForkerGone):
        forker.wait(1)
    with pytest.raises(ForkerGone):
        forker.begin(make_job("train"))
    with pytest.raises(ForkerGone):
        forker.stop()
