"""Does one job of the worker, in a process of its own, and says in a sentence what came of it."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Final

from catalog.jobs import JobKind
from cli.commands import explain
from cli.refreshing import run_refresh
from pipeline.errors import AlreadyTraining, NothingToRefresh
from worker.forker import TRY_AGAIN_CODE

NICE: Final = 10
"""A training takes what the processes that serve leave of the machine."""
TERMINATED_CODE: Final = 128 + signal.SIGTERM


def do(kind: str) -> tuple[str, int]:
    """What came of it, and a code for the process to end with that the worker understands."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED_CODE))  # what is open is closed
    if kind not in DOERS:
        return f"this release knows no {kind} jobs; a worker of the one that enqueued it does", 1
    try:
        return DOERS[kind](), 0
    except AlreadyTraining as error:
        return str(error), TRY_AGAIN_CODE
    except Exception as error:  # noqa: BLE001  (here, at the top, is where nothing may get past)
        return explain(error)


def _refresh() -> str:
    try:
        report = run_refresh()
    except NothingToRefresh:
        return "there is no version yet to refresh: the first training knows all books"
    if report.version is None:
        return "the current version has the books of now"
    books = f"{report.n_new:,} new, {report.n_changed:,} changed, {report.n_removed:,} no longer shown"
    return f"{report.version} after {report.seconds:.1f} s; books: {books}"


def _train() -> str:
    from cli.training import run_training  # which the worker would keep in memory

    os.nice(NICE)
    report = run_training()
    if report.promoted:
        return f"promoted {report.version} after {report.seconds:.0f} s"
    return f"the gate refused {report.version} ({', '.join(report.failed_checks)}); the running version stays"


DOERS: Final[Mapping[str, Callable[[], str]]] = {JobKind.REFRESH: _refresh, JobKind.TRAIN: _train}
