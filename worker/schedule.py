"""Enqueues by itself what is due, and after failures less and less often."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.orm import Session

from catalog import jobs
from catalog.database import Database
from catalog.jobs import JobKind
from catalog.tables import JobState
from worker.due import Due, check_refresh, check_training
from worker.settings import WorkerOptions

IF_DUE: Final = {"if_due": True}
"""Params of a training that is wanted only if it still is due when it begins."""
FIRST_PAUSE_S: Final = {JobKind.REFRESH: 60.0, JobKind.TRAIN: 600.0}
"""After a failure, until what is due is tried again; it doubles with every failure in a row."""
LONGEST_PAUSE_S: Final = 6 * 3600.0
MAX_DOUBLINGS: Final = 10

log = structlog.get_logger()


def enqueue_due(db: Database, options: WorkerOptions, artifacts_root: Path, *, trains: bool) -> None:
    """Enqueue the training that is due, else the refresh that is; a training makes that needless."""
    with db.session() as session:  # of reading, which in SQLite waits for nobody
        due, kind = Due(False, ""), JobKind.TRAIN
        if trains and _has_rested(session, kind):
            due = check_training(options, artifacts_root, session, now=datetime.now(UTC))
        if not due.is_due and _has_rested(session, JobKind.REFRESH):
            due, kind = check_refresh(artifacts_root, session), JobKind.REFRESH
    if due.is_due:
        with db.session(write=True) as session:
            job_id = jobs.enqueue(session, kind, IF_DUE if kind is JobKind.TRAIN else {})
        log.info("job enqueued", job=job_id, kind=kind, why=due.why)


def _has_rested(session: Session, kind: JobKind) -> bool:
    """Whether enough time has passed since the last failure; after a success that is none."""
    last = jobs.list_jobs(session, kind=kind, states=jobs.FINISHED, limit=MAX_DOUBLINGS)
    n_failures = next((n for n, job in enumerate(last) if job.state is not JobState.FAILED), len(last))
    if not n_failures:
        return True
    pause_s = min(FIRST_PAUSE_S[kind] * 2.0 ** (n_failures - 1), LONGEST_PAUSE_S)
    return time.time() >= (last[0].finished_at or 0.0) + pause_s
