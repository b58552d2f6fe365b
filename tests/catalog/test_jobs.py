"""The queue of jobs: each is done once, by whoever took it, and none is lost."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from catalog import jobs
from catalog.database import Database
from catalog.errors import JobStateWrong, JobUnknown
from catalog.jobs import JobKind, StoredJob
from catalog.tables import Job, JobState


def enqueue(db: Database, kind: JobKind = JobKind.REFRESH, delay_s: float = 0.0, **params: int) -> int:
    with db.session(write=True) as session:
        return jobs.enqueue(session, kind, params, delay_s=delay_s)


def take(db: Database) -> StoredJob | None:
    with db.session(write=True) as session:
        return jobs.take(session)


def read(db: Database, job_id: int) -> StoredJob:
    with db.session() as session:
        return jobs.read_job(session, job_id)


def lose(db: Database) -> None:
    """Make all that runs look as if its worker had died."""
    with db.session(write=True) as session:
        session.execute(update(Job).values(alive_at=time.time() - 2 * jobs.LOST_AFTER_S))


def change(session: Session, job_id: int, **values: float) -> None:
    session.execute(update(Job).filter_by(job_id=job_id).values(values))


def test_jobs_are_taken_in_the_order_in_which_they_are_due(db: Database) -> None:
    first, later, second = enqueue(db, n=1), enqueue(db, delay_s=60, n=2), enqueue(db, JobKind.TRAIN)

    taken = [take(db), take(db), take(db)]

    assert [job and job.job_id for job in taken] == [first, second, None]
    assert taken[0] is not None
    assert (taken[0].kind, taken[0].params) == (JobKind.REFRESH, {"n": 1})
    assert (taken[0].state, taken[0].attempts) == (JobState.RUNNING, 1)
    assert read(db, later).state is JobState.QUEUED


def test_a_queued_job_of_the_same_kind_and_params_is_moved_and_not_doubled(db: Database) -> None:
    job_id = enqueue(db, delay_s=1, n=1)
    due_at = read(db, job_id).due_at

    again, other = enqueue(db, delay_s=2, n=1), enqueue(db, n=2)

    assert again == job_id != other
    assert read(db, job_id).due_at > due_at


def test_a_queued_job_that_is_wanted_now_waits_no_longer(db: Database) -> None:
    job_id = enqueue(db, delay_s=60)

    enqueue(db)

    taken = take(db)
    assert taken is not None
    assert taken.job_id == job_id


def test_a_job_waits_no_longer_than_a_bound_however_often_it_is_moved(db: Database) -> None:
    job_id = enqueue(db, delay_s=1)
    with db.session(write=True) as session:
        change(session, job_id, queued_at=time.time() - jobs.LONGEST_WAIT_S + 1)

    enqueue(db, delay_s=60)
    with db.session(write=True) as session:
        change(session, job_id, queued_at=time.time() - 60)
    soon = read(db, job_id).due_at
    enqueue(db, delay_s=60)

    assert soon < time.time() + 1
    assert take(db) is not None


def test_what_is_enqueued_while_its_like_runs_is_a_job_of_its_own(db: Database) -> None:
    running = enqueue(db)
    take(db)

    assert enqueue(db) != running


def test_what_is_enqueued_in_a_transaction_that_fails_was_never_there(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.session(write=True) as session:
        jobs.enqueue(session, JobKind.REFRESH)
        _ = 1 / 0

    assert take(db) is None


def test_of_many_takers_each_job_has_one(db: Database) -> None:
    expected = {enqueue(db, n=n) for n in range(8)}

    with ThreadPoolExecutor(8) as pool:
        taken = [job for job in pool.map(lambda _: take(db), range(16)) if job is not None]

    rest = iter(lambda: take(db), None)
    found = [job.job_id for job in (*taken, *rest)]
    assert sorted(found) == sorted(expected)


def test_a_finished_job_tells_its_outcome(db: Database) -> None:
    done, failed = enqueue(db, n=1), enqueue(db, n=2)
    for _ in range(2):
        take(db)

    with db.session(write=True) as session:
        assert jobs.finish(session, done, "nothing has changed")
        assert jobs.fail(session, failed, "the disk is full")

    assert (read(db, done).state, read(db, done).outcome) == (JobState.DONE, "nothing has changed")
    assert (read(db, failed).state, read(db, failed).outcome) == (JobState.FAILED, "the disk is full")
    assert read(db, done).finished_at is not None


def test_only_what_nobody_asked_for_since_is_settled(db: Database) -> None:
    old, asked_again, other = enqueue(db, n=1), enqueue(db, n=2), enqueue(db, JobKind.TRAIN)
    before = time.time()
    enqueue(db, delay_s=1, n=2)

    with db.session(write=True) as session:
        jobs.settle(session, JobKind.REFRESH, before=before, outcome="trained meanwhile")

    states = {job_id: read(db, job_id).state for job_id in (old, asked_again, other)}
    assert states == {old: JobState.DONE, asked_again: JobState.QUEUED, other: JobState.QUEUED}


def test_a_running_job_without_a_sign_of_life_is_queued_again(db: Database) -> None:
    lost, alive = enqueue(db, n=1), enqueue(db, n=2)
    for _ in range(2):
        take(db)
    lose(db)
    with db.session(write=True) as session:
        assert jobs.keep_alive(session, alive)

        recovered = jobs.recover(session)

    assert [(job.job_id, job.state) for job in recovered] == [(lost, JobState.QUEUED)]
    again = take(db)
    assert again is not None
    assert (again.job_id, again.attempts) == (lost, 2)


def test_a_job_whose_worker_dies_again_and_again_is_failed(db: Database) -> None:
    job_id = enqueue(db)
    for _ in range(jobs.MAX_ATTEMPTS):
        take(db)
        lose(db)
        with db.session(write=True) as session:
            jobs.recover(session)

    job = read(db, job_id)
    assert job.state is JobState.FAILED
    assert job.outcome is not None
    assert "died 3 times" in job.outcome


def test_it_is_told_without_writing_whether_a_job_is_due_or_lost(db: Database) -> None:
    found = []
    enqueue(db, delay_s=60, n=1)
    for change_something in (lambda: enqueue(db, n=2), lambda: take(db), lambda: lose(db)):
        change_something()
        with db.session() as session:
            found.append((jobs.has_due(session), jobs.has_lost(session)))

    assert found == [(True, False), (False, False), (False, True)]


def test_a_job_that_is_put_back_waits_and_is_not_an_attempt(db: Database) -> None:
    job_id = enqueue(db)
    take(db)

    with db.session(write=True) as session:
        jobs.put_back(session, job_id, delay_s=60)
    waiting = take(db)
    with db.session(write=True) as session:
        change(session, job_id, due_at=0)

    taken = take(db)
    assert waiting is None
    assert taken is not None
    assert (taken.job_id, taken.attempts) == (job_id, 1)


def test_a_cancelled_job_is_nobody_s_to_take_keep_or_finish(db: Database) -> None:
    running, queued = enqueue(db, n=1), enqueue(db, n=2)
    take(db)

    with db.session(write=True) as session:
        cancelled = [jobs.cancel(session, job_id, by="ann") for job_id in (running, queued)]

        assert not jobs.keep_alive(session, running)
        assert not jobs.finish(session, running, "promoted")
    assert {job.state for job in cancelled} == {JobState.CANCELLED}
    assert cancelled[0].outcome == "cancelled by ann"
    assert take(db) is None


def test_only_what_failed_or_was_cancelled_can_be_retried_and_only_what_is_not_finished_cancelled(
    db: Database,
) -> None:
    job_id = enqueue(db, n=1)
    with db.session(write=True) as session:
        with pytest.raises(JobStateWrong, match="is queued, not failed"):
            jobs.retry(session, job_id)
        jobs.cancel(session, job_id, by="ann")

        again = jobs.retry(session, job_id)

        assert jobs.read_job(session, again).params == {"n": 1}
        with pytest.raises(JobStateWrong, match="is cancelled, not queued or running"):
            jobs.cancel(session, job_id, by="ann")
        with pytest.raises(JobUnknown):
            jobs.cancel(session, 10**6, by="ann")


def test_old_finished_jobs_go_and_others_stay(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "N_KEPT", 2)
    queued = enqueue(db, delay_s=60, n=-1)
    for n in range(5):
        job_id = enqueue(db, n=n)
        take(db)
        with db.session(write=True) as session:
            jobs.finish(session, job_id, "done")

    with db.session() as session:
        listed = [job.job_id for job in jobs.list_jobs(session, limit=10)]
    assert listed == [job_id, job_id - 1, queued]


def test_jobs_are_listed_by_kind_and_state(db: Database) -> None:
    first, training, last = enqueue(db, n=1), enqueue(db, JobKind.TRAIN), enqueue(db, n=2)
    with db.session(write=True) as session:
        jobs.cancel(session, first, by="ann")

        found = [
            jobs.list_jobs(session, limit=1),
            jobs.list_jobs(session, limit=5, kind=JobKind.REFRESH),
            jobs.list_jobs(session, limit=5, states=[JobState.CANCELLED, JobState.FAILED]),
        ]

    assert [[job.job_id for job in each] for each in found] == [[last], [last, first], [first]]
    assert training not in [job.job_id for each in found for job in each]
