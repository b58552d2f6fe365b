"""The command that runs the worker, which does by itself what takes longer than a request."""

import os
import sys
from contextlib import closing

import structlog

from catalog.database import open_database
from catalog.schema import check_migrated
from cli.commands import ending_in_one_sentence
from cli.errors import TrainingNotInstalled
from cli.installation import check_can_train
from notifications.notifier import Notifier
from notifications.settings import NotifySettings
from telemetry.logs import configure_logging
from worker.forker import Do, Forker
from worker.serve import run_worker
from worker.settings import WorkerSettings

log = structlog.get_logger()


def worker() -> None:
    """Refresh what is served and train when that is due, in the foreground; `bookmesh up` starts one too."""
    with closing(open_database(WorkerSettings().catalog_url)) as db:
        check_migrated(db)
    # All that commands import would stay in memory: this process becomes one that has only what it needs.
    os.execv(sys.executable, [sys.executable, "-m", __name__])  # noqa: S606 - our own interpreter and module


def work() -> None:
    """The same in this process, on tables that somebody has checked."""
    settings, notifier, do = WorkerSettings(), Notifier(NotifySettings()), _load_jobs()
    configure_logging("worker", level=settings.telemetry.log_level)
    with closing(Forker(do)) as forker:
        run_worker(settings, forker, notifier, can_train=_can_train())


def _can_train() -> bool:
    try:
        check_can_train()
    except TrainingNotInstalled as error:
        log.warning("no training is begun here", reason=str(error))
        return False
    return True


def _load_jobs() -> Do:
    # To import what a refresh needs takes about as long as the refresh; a training imports the rest itself.
    import pipeline.refresh  # noqa: F401
    from cli.job import do

    return do


if __name__ == "__main__":
    with ending_in_one_sentence():
        work()
