"""The queue of what takes longer than a request, for `bookmesh worker` to do.

Use these within `db.session(write=True)`. Who changes a job names the state that it must be in, so that of
several who want it one gets it, on every database.
"""

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, Select, delete, func, select, update
from sqlalchemy.orm import Session

from catalog.database import count_changed
from catalog.errors import JobStateWrong, JobUnknown
from catalog.tables import Job, JobState

DEBOUNCE_S: Final = 0.5
"""How long a refresh waits for the next change of the catalog, which it then takes along."""
LONGEST_WAIT_S: Final = 5.0
"""But no longer than this after the first one."""
LOST_AFTER_S: Final = 30.0
"""A running job that nobody has said to be alive for so long has lost its worker."""
MAX_ATTEMPTS: Final = 3
"""So often a job is begun whose worker dies; then it may be what kills it."""
N_KEPT: Final = 1_000
"""Finished jobs that stay to be read."""

FINISHED: Final = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class JobKind(StrEnum):
    """What the worker can do."""

    REFRESH = "refresh"
    """Publish what has changed in the catalog, without training."""
    TRAIN = "train"
    PROMOTE = "promote"
    """Move the pointer to the `version` of the params; with `force` also to one that the gate refused."""
    ROLLBACK = "rollback"
    """Move it back, if it still is at `from_version` or another refresh of the same models."""
    IMPORT = "import"
    """Read a `source` from a `folder` below the home's folder of imports."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it is in the catalog; times are in seconds since 1970 UTC."""

    job_id: int
    kind: str
    """One of `JobKind`, or of a later release's."""
    state: JobState
    params: dict[str, Any]
    due_at: float
    queued_at: float
    started_at: float | None
    finished_at: float | None
    attempts: int
    """How often it was begun."""
    outcome: str | None
    """What came of it, or why it failed, in a sentence."""


def enqueue(
    session: Session, kind: str, params: Mapping[str, Any] | None = None, *, delay_s: float = 0.0
) -> int:
    """The job that will do this, not before the delay is over.

    If one like it is queued already, that is it: its delay begins anew, but it never waits longer than
    LONGEST_WAIT_S because of that. Two who enqueue in the same moment may make two, of which the second finds
    nothing left to do.
    """
    now, text = time.time(), json.dumps(params or {}, sort_keys=True)
    alike = {"kind": kind, "params": text, "state": JobState.QUEUED}
    due_at = now + delay_s
    queued = session.execute(select(Job.job_id, Job.queued_at).filter_by(**alike).limit(1)).first()
    if queued is not None:
        due_at = min(due_at, max(now, queued.queued_at + LONGEST_WAIT_S))
        if _change(session, queued.job_id, JobState.QUEUED, due_at=due_at):
            return int(queued.job_id)
    job = Job(**alike, due_at=due_at, queued_at=now)
    session.add(job)
    session.flush()
    return job.job_id


def has_due(session: Session) -> bool:
    """Whether there is a job to take; a read, which waits for no writer."""
    due = select(Job.job_id).where(Job.state == JobState.QUEUED, Job.due_at <= time.time())
    return session.scalar(due.limit(1)) is not None


def has_lost(session: Session) -> bool:
    """Whether there is a job to recover; a read as well."""
    return session.scalar(_lost().limit(1)) is not None


def take(session: Session) -> StoredJob | None:
    """The job that has been due for longest, which is the caller's now; None if none is due."""
    now = time.time()
    due = select(Job.job_id).where(Job.state == JobState.QUEUED, Job.due_at <= now)
    for job_id in session.scalars(due.order_by(Job.due_at, Job.job_id)).all():
        values = {"state": JobState.RUNNING, "started_at": now, "alive_at": now, "attempts": Job.attempts + 1}
        if _change(session, job_id, JobState.QUEUED, **values):
            return read_job(session, job_id)
    return None


def keep_alive(session: Session, job_id: int) -> bool:
    """Say that the job still has its worker; False if it is no longer the worker's, but cancelled, say."""
    return _change(session, job_id, JobState.RUNNING, alive_at=time.time())


def finish(session: Session, job_id: int, outcome: str) -> bool:
    """Say what came of a running job; False if it is no longer running. Old finished jobs go."""
    newest = session.scalar(select(func.max(Job.job_id))) or 0
    session.execute(delete(Job).where(Job.state.in_(FINISHED), Job.job_id <= newest - N_KEPT))
    return _end(session, job_id, JobState.RUNNING, JobState.DONE, outcome)


def fail(session: Session, job_id: int, outcome: str) -> bool:
    """Say why a running job failed; False if it is no longer running."""
    return _end(session, job_id, JobState.RUNNING, JobState.FAILED, outcome)


def put_back(session: Session, job_id: int, *, delay_s: float = 0.0) -> bool:
    """Queue a running job again that could not be done now; that does not count as an attempt."""
    due_at = time.time() + delay_s
    values = {"state": JobState.QUEUED, "due_at": due_at, "started_at": None, "attempts": Job.attempts - 1}
    return _change(session, job_id, JobState.RUNNING, **values)


def settle(session: Session, kind: JobKind, *, before: float, outcome: str) -> None:
    """Say what came, without them, of the queued jobs that nobody has asked for since a time."""
    # It is due when it was asked for last, or later.
    old = update(Job).where(Job.kind == kind, Job.state == JobState.QUEUED, Job.due_at <= before)
    session.execute(old.values(state=JobState.DONE, finished_at=time.time(), outcome=outcome))


def recover(session: Session) -> list[StoredJob]:
    """Queue again what lost its worker, or fail it after MAX_ATTEMPTS; those jobs as they are then."""
    recovered = []
    for job_id, attempts in session.execute(_lost()).all():
        if attempts < MAX_ATTEMPTS:
            _change(session, job_id, JobState.RUNNING, state=JobState.QUEUED, started_at=None)
        else:
            fail(session, job_id, f"its worker died {attempts} times while it ran; that may be its doing")
        recovered.append(read_job(session, job_id))
    return recovered


def cancel(session: Session, job_id: int, *, by: str) -> StoredJob:
    """Take a job from the queue, or from its worker, who soon stops it. Raises JobUnknown, JobStateWrong."""
    for state in (JobState.QUEUED, JobState.RUNNING):
        if _end(session, job_id, state, JobState.CANCELLED, f"cancelled by {by}"):
            return read_job(session, job_id)
    raise JobStateWrong(job_id, read_job(session, job_id).state, wanted="queued or running")


def retry(session: Session, job_id: int) -> int:
    """The job that does again, now, what one failed to do. Raises JobUnknown, JobStateWrong."""
    job = read_job(session, job_id)
    if job.state not in (JobState.FAILED, JobState.CANCELLED):
        raise JobStateWrong(job_id, job.state, wanted="failed or cancelled")
    return enqueue(session, job.kind, job.params)


def read_job(session: Session, job_id: int) -> StoredJob:
    """One job. Raises JobUnknown."""
    row = session.execute(select(Job.__table__).where(Job.job_id == job_id)).one_or_none()
    if row is None:
        raise JobUnknown(job_id)
    return _parse(row)


def list_jobs(
    session: Session,
    *,
    limit: int,
    offset: int = 0,
    kind: JobKind | None = None,
    states: Collection[JobState] = (),
) -> list[StoredJob]:
    """A page of the jobs, all or of one kind, all or in one of these states; the newest first."""
    chosen = select(Job.__table__)
    if kind is not None:
        chosen = chosen.where(Job.kind == kind)
    if states:
        chosen = chosen.where(Job.state.in_(states))
    page = chosen.order_by(Job.job_id.desc()).limit(limit).offset(offset)
    return [_parse(row) for row in session.execute(page)]


def count_jobs(session: Session) -> int:
    """How many there are, those included that ended and are kept."""
    return session.scalar(select(func.count()).select_from(Job)) or 0


def _lost() -> Select[int, int]:
    """What has had no sign of life for too long, and how often it was begun."""
    silent = Job.alive_at < time.time() - LOST_AFTER_S
    return select(Job.job_id, Job.attempts).where(Job.state == JobState.RUNNING, silent)


def _change(session: Session, job_id: int, before: JobState, **values: Any) -> bool:
    """Change a job if it is in this state, and tell whether it was."""
    return bool(count_changed(session, update(Job).filter_by(job_id=job_id, state=before).values(values)))


def _end(session: Session, job_id: int, before: JobState, after: JobState, outcome: str) -> bool:
    return _change(session, job_id, before, state=after, finished_at=time.time(), outcome=outcome)


def _parse(row: Row[Any]) -> StoredJob:
    values = {each.name: getattr(row, each.name) for each in fields(StoredJob)}
    return StoredJob(**{**values, "state": JobState(row.state), "params": json.loads(row.params)})
