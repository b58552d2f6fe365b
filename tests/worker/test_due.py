"""When a training or a refresh is due, and what the worker does about it."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from artifacts.manifest import GateVerdict
from artifacts.pointer import POINTER
from artifacts.store import ArtifactStore
from catalog import jobs
from catalog.database import Database
from catalog.jobs import JobKind, StoredJob
from catalog.tables import Book, Job, JobState, Rating, User
from tests.catalog.test_jobs import enqueue, read, take
from worker.due import Due, check_refresh, check_training
from worker.schedule import FIRST_PAUSE_S, enqueue_due
from worker.settings import WorkerOptions, WorkerSettings

NOON = datetime(2026, 3, 10, 12, 0).astimezone()
"""Local time, in which nights are set."""
NIGHT = timedelta(hours=15)
"""From noon to the default end of a night."""
OPTIONS = WorkerOptions(new_ratings=3)


@pytest.fixture
def root(settings: WorkerSettings) -> Path:
    return settings.artifacts_root


def seal(
    root: Path,
    at: datetime,
    *,
    read_at: datetime | None = None,
    refresh_of: str | None = None,
    passed: bool = True,
) -> str:
    """A version without any object, promoted if it passed."""
    store = ArtifactStore(root, now=lambda: at.astimezone(UTC))
    manifest = store.draft().seal(
        split_id="split", data_fingerprint="data", code_revision="code", params={}, seed=1, metrics={},
        gate=GateVerdict(passed=passed), refresh_of=refresh_of, catalog_read_at=read_at,
    )  # fmt: skip
    if passed:
        store.promote(manifest.version, by="test", why="a test")
    return manifest.version


def rate(db: Database, *moments: datetime) -> None:
    """A rating that came in at each of these moments."""
    with db.session(write=True) as session:
        session.execute(insert(User).values(user_id=1, source="tests", external_id="1"))
        for book_id, at in enumerate(moments, start=1):
            session.execute(
                insert(Book).values(book_id=book_id, source="tests", external_id=str(book_id), title="A book")
            )
            session.execute(insert(Rating).values(user_id=1, book_id=book_id, created_at=int(at.timestamp())))


def check(db: Database, root: Path, now: datetime) -> Due:
    with db.session() as session:
        return check_training(OPTIONS, root, session, now=now)


def test_the_first_training_is_due_as_soon_as_there_are_ratings(db: Database, root: Path) -> None:
    before = check(db, root, NOON)
    rate(db, NOON)

    assert before == Due(False, "there are no ratings yet")
    assert check(db, root, NOON) == Due(True, "nothing was trained yet")


@pytest.mark.parametrize("passed", [True, False])
def test_a_training_is_due_after_each_night_whatever_the_gate_said_of_the_last(
    passed: bool, db: Database, root: Path
) -> None:
    version = seal(root, NOON, passed=passed)

    evening, morning = (check(db, root, NOON + NIGHT + timedelta(minutes=minutes)) for minutes in (-1, 1))

    assert not evening.is_due
    assert evening.why.endswith(f"have come since {version}, and the next night is 2026-03-11 03:00")
    assert morning == Due(True, f"a night has passed since {version}")


def test_a_refresh_is_no_training(db: Database, root: Path) -> None:
    trained = seal(root, NOON)
    seal(root, NOON + NIGHT, refresh_of=trained)

    assert check(db, root, NOON + NIGHT + timedelta(minutes=1)).is_due


def test_a_training_is_due_when_enough_ratings_have_come_since_the_catalog_was_read(
    db: Database, root: Path
) -> None:
    read_at = NOON - timedelta(minutes=10)
    version = seal(root, NOON, read_at=read_at)
    rate(db, *(read_at + timedelta(minutes=minutes) for minutes in (-1, 1, 2)))
    two = check(db, root, NOON)
    with db.session(write=True) as session:
        session.execute(update(Rating).values(created_at=int(NOON.timestamp())))

    three = check(db, root, NOON)

    assert (two.is_due, three.is_due) == (False, True)
    assert three.why == f"3 of 3 ratings have come since {version}"


def test_a_cancelled_training_waits_for_the_next_night(db: Database, root: Path) -> None:
    seal(root, NOON)
    job_id = enqueue(db, JobKind.TRAIN)
    with db.session(write=True) as session:
        jobs.cancel(session, job_id, by="ann")
        cancelled_at = (NOON + NIGHT + timedelta(minutes=5)).timestamp()
        session.execute(update(Job).values(finished_at=cancelled_at))

    days = [check(db, root, NOON + NIGHT + timedelta(days=days, minutes=10)) for days in (0, 1)]

    assert [due.is_due for due in days] == [False, True]


def finish(db: Database, kind: JobKind, *, failed: bool = False) -> StoredJob:
    """Do a job, and tell how it is then."""
    job_id = enqueue(db, kind)
    take(db)
    with db.session(write=True) as session:
        (jobs.fail if failed else jobs.finish)(session, job_id, "as the test wants it")
    return read(db, job_id)


def check_for_refresh(db: Database, root: Path) -> bool:
    with db.session() as session:
        return check_refresh(root, session).is_due


def test_no_refresh_is_due_without_a_version_or_without_a_change(db: Database, root: Path) -> None:
    finish(db, JobKind.REFRESH)
    without_version = check_for_refresh(db, root)

    seal(root, datetime.now(UTC) + timedelta(seconds=1))

    assert (without_version, check_for_refresh(db, root)) == (False, False)


def test_a_refresh_is_due_when_the_last_one_failed(db: Database, root: Path) -> None:
    seal(root, NOON)
    finish(db, JobKind.REFRESH, failed=True)

    assert check_for_refresh(db, root)


def test_a_refresh_is_due_when_somebody_has_gone_back_to_an_older_version(db: Database, root: Path) -> None:
    older = seal(root, NOON)
    os.utime(root / POINTER, (time.time() - 60, time.time() - 60))
    finish(db, JobKind.REFRESH)
    meanwhile = check_for_refresh(db, root)
    seal(root, datetime.now(UTC) + timedelta(seconds=1))

    ArtifactStore(root).promote(older, by="test", why="a test")

    assert (meanwhile, check_for_refresh(db, root)) == (False, True)


def look(db: Database, root: Path, *, trains: bool = True) -> list[str]:
    """Enqueue what is due; the kinds of all that is queued then."""
    enqueue_due(db, OPTIONS, root, trains=trains)
    with db.session() as session:
        return [job.kind for job in jobs.list_jobs(session, limit=9, states=[JobState.QUEUED])]


def test_a_due_training_is_enqueued_once_where_this_machine_trains(db: Database, root: Path) -> None:
    rate(db, NOON)

    assert look(db, root, trains=False) == []
    assert look(db, root) == [JobKind.TRAIN]
    assert look(db, root) == [JobKind.TRAIN]


def test_what_fails_is_tried_again_less_and_less_often(db: Database, root: Path) -> None:
    rate(db, NOON)
    first_pause_s = FIRST_PAUSE_S[JobKind.TRAIN]
    queued: list[bool] = []
    for n_failures, rested_s in [(1, 0.9), (1, 1.1), (2, 1.1), (2, 2.1)]:
        with db.session(write=True) as session:
            session.query(Job).delete()
        for _ in range(n_failures):
            finish(db, JobKind.TRAIN, failed=True)
        with db.session(write=True) as session:
            session.execute(update(Job).values(finished_at=time.time() - rested_s * first_pause_s))

        queued.append(bool(look(db, root)))

    assert queued == [False, True, False, True]
