"""Does the jobs of the catalog, one at a time, each in a process of its own."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final

import structlog
from sqlalchemy.orm import Session

from artifacts.pointer import read_pointer
from catalog import jobs
from catalog.database import Database
from catalog.jobs import JobKind, StoredJob
from catalog.tables import JobState
from foundation.lock import is_held
from notifications.notice import describe_failure
from notifications.notifier import Notifier
from worker.due import check_training
from worker.errors import ForkerGone
from worker.forker import TRY_AGAIN_CODE, Ending, Forker
from worker.metrics import WorkerMetrics
from worker.schedule import IF_DUE, enqueue_due
from worker.settings import WorkerSettings

KEEP_ALIVE_S: Final = 5.0
DUE_EVERY_S: Final = 120.0
"""Between two looks at whether something is due: counting the new among a million ratings takes 30 ms."""
TRY_AGAIN_S: Final = 5.0
"""So long a job waits whose process found another one at that work."""
FINISH_REFRESH_S: Final = 8.0
"""What a refresh may still take when the worker has to stop; a training is not waited for."""
ENDINGS: Final = {0: "done", TRY_AGAIN_CODE: "put back"}
"""What exit codes mean; any other is a failure."""

log = structlog.get_logger()


@dataclass
class _Running:
    job: StoredJob
    next_sign_s: float
    ending: Ending | None = None
    """Once it is over, until that is written down."""


class Worker:
    """Call `turn` about once a second, from any thread, and `stop` at the end."""

    def __init__(
        self,
        settings: WorkerSettings,
        db: Database,
        metrics: WorkerMetrics,
        forker: Forker,
        notifier: Notifier,
        *,
        can_train: bool,
    ) -> None:
        self._options = settings.worker
        self._artifacts_root = settings.artifacts_root
        self._version_lock = settings.lock_path
        self._db = db
        self._metrics = metrics
        self._forker = forker
        self._notifier = notifier
        self._trains = can_train and settings.worker.trains
        self._turning = Lock()
        self._is_stopping = False
        self._running: _Running | None = None
        self._next_due_look_s = 0.0

    @property
    def doing(self) -> str:
        """The job that runs, as "train 12"; "idle" if none does."""
        running = self._running
        return f"{running.job.kind} {running.job.job_id}" if running else "idle"

    def turn(self) -> None:
        """Look after the job that runs; if none does, look for one that is due.

        Raises ForkerGone, after which nothing can be done; or OSError, SQLAlchemyError or DatabaseFileGone,
        and the next turn then tries again.
        """
        with self._turning:
            if self._is_stopping:
                return
            if self._running is not None:
                self._tend(self._running)
            else:
                self._look()

    def stop(self) -> None:
        """Begin no more; let a refresh end, if it soon does, and put any other job back."""
        with self._turning:
            self._is_stopping = True
            if (running := self._running) is None:
                return
            patience_s = FINISH_REFRESH_S if running.job.kind == JobKind.REFRESH else 0.0
            with suppress(ForkerGone):
                running.ending = running.ending or self._forker.wait(patience_s)
                if running.ending is None:
                    self._forker.stop()
            self._end(running, running.ending or Ending(TRY_AGAIN_CODE, "the worker had to stop"))

    def _look(self) -> None:
        self._forker.check()
        with self._db.session() as session:  # of reading, which in SQLite waits for nobody
            has_lost, has_due = jobs.has_lost(session), jobs.has_due(session)
        if has_lost:
            self._recover()
        if time.monotonic() >= self._next_due_look_s:
            self._next_due_look_s = time.monotonic() + DUE_EVERY_S
            enqueue_due(self._db, self._options, self._artifacts_root, trains=self._trains)
        # Whoever trains or refreshes by hand is not joined: the job waits.
        if has_due and not is_held(self._version_lock):
            self._begin()

    def _recover(self) -> None:
        with self._db.session(write=True) as session:
            recovered = jobs.recover(session)
        for job in recovered:
            log.warning("job had lost its worker", job=job.job_id, kind=job.kind, state=job.state)
            if job.state is JobState.FAILED and job.outcome:
                self._tell_of_failure(job.kind, job.outcome)

    def _begin(self) -> None:
        with self._db.session(write=True) as session:
            job = jobs.take(session)
            if job is None:
                return
            if why_not := self._find_reason_to_skip(session, job):
                jobs.finish(session, job.job_id, why_not)
                return
        log.info("job begun", job=job.job_id, kind=job.kind, attempt=job.attempts)
        self._forker.begin(job)
        self._metrics.count_begun(job.kind)
        self._running = _Running(job, time.monotonic() + KEEP_ALIVE_S)

    def _find_reason_to_skip(self, session: Session, job: StoredJob) -> str | None:
        if job.params != IF_DUE:
            return None
        due = check_training(self._options, self._artifacts_root, session, now=datetime.now(UTC))
        return None if due.is_due else f"not due any more: {due.why}"

    def _tend(self, running: _Running) -> None:
        running.ending = running.ending or self._forker.wait()
        if running.ending is not None:
            self._end(running, running.ending)
        elif time.monotonic() >= running.next_sign_s:
            running.next_sign_s = time.monotonic() + KEEP_ALIVE_S
            with self._db.session(write=True) as session:
                is_ours = jobs.keep_alive(session, running.job.job_id)
            if not is_ours:
                self._forker.stop()
                self._forget(running, "cancelled")

    def _end(self, running: _Running, ending: Ending) -> None:
        """Write down how a job ended; if the database is away, it is asked again in the next turn."""
        job_id = running.job.job_id
        with self._db.session(write=True) as session:
            if ending.code == TRY_AGAIN_CODE:
                jobs.put_back(session, job_id, delay_s=TRY_AGAIN_S)
            elif ending.code == 0:
                jobs.finish(session, job_id, ending.sentence)
            else:
                jobs.fail(session, job_id, ending.sentence)
        if ending.code < 0:  # it could not tell itself
            self._tell_of_failure(running.job.kind, ending.sentence)
        self._forget(running, ENDINGS.get(ending.code, "failed"), ending.sentence)

    def _tell_of_failure(self, kind: str, why: str) -> None:
        if kind == JobKind.TRAIN:
            current = read_pointer(self._artifacts_root)
            self._notifier.send_soon(describe_failure("in a process of the worker", why, current))

    def _forget(self, running: _Running, outcome: str, why: str = "") -> None:
        self._running = None
        self._metrics.count_ended(running.job.kind, outcome)
        report = log.warning if outcome == "failed" else log.info
        report(f"job {outcome}", job=running.job.job_id, kind=running.job.kind, outcome=why)
