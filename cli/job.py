"""Does one job of the worker, in a process of its own, and says in a sentence what came of it."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

from artifacts.errors import VersionUnknown
from artifacts.store import ArtifactStore
from catalog.errors import SourceFileMissing, SourceFileUnreadable
from catalog.jobs import JobKind, StoredJob
from catalog.settings import CatalogSettings
from cli import moving
from cli.commands import explain
from cli.moving import open_store
from cli.refreshing import run_refresh
from cli.sources import OPENERS
from pipeline.errors import AlreadyTraining, NothingToRefresh
from worker.forker import TRY_AGAIN_CODE

NICE: Final = 10
"""A training takes what the processes that serve leave of the machine."""
TERMINATED_CODE: Final = 128 + signal.SIGTERM
IMPORTS: Final = "imports"
"""The folder of the home below which a job may read what it imports."""
PATHS: Final = ("folder", "open_library", "overrides", "mapping")
"""Params of an import that name a file or a folder there."""
WHY: Final = "an admin asked for it; the audit log tells who"


def do(job: StoredJob) -> tuple[str, int]:
    """What came of it, and a code for the process to end with that the worker understands."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED_CODE))  # what is open is closed
    if job.kind not in DOERS:
        return f"this release knows no {job.kind} jobs; a worker of the one that enqueued it does", 1
    try:
        return DOERS[job.kind](job), 0
    except AlreadyTraining as error:
        return str(error), TRY_AGAIN_CODE
    except Exception as error:  # noqa: BLE001  (here, at the top, is where nothing may get past)
        return explain(error)


def _refresh(job: StoredJob) -> str:
    try:
        report = run_refresh()
    except NothingToRefresh:
        return "there is no version yet to refresh: the first training knows all books"
    if report.version is None:
        return "the current version has the books of now"
    books = f"{report.n_new:,} new, {report.n_changed:,} changed, {report.n_removed:,} no longer shown"
    return f"{report.version} after {report.seconds:.1f} s; books: {books}"


def _train(job: StoredJob) -> str:
    from cli.training import run_training  # which the worker would keep in memory

    os.nice(NICE)
    report = run_training()
    if report.promoted:
        return f"promoted {report.version} after {report.seconds:.0f} s"
    return f"the gate refused {report.version} ({', '.join(report.failed_checks)}); the running version stays"


def _promote(job: StoredJob) -> str:
    version = job.params["version"]
    moving.promote(version, by=f"job {job.job_id}", why=WHY, force=job.params["force"])
    return f"{version} is current"


def _rollback(job: StoredJob) -> str:
    """Done again after its worker died, or asked for twice, it does not lead two versions back."""
    store, left = open_store(), job.params["from_version"]
    current = store.current()
    if current is None or store.manifest(current).trained_version != _find_trained(store, left):
        return f"{current} is current, no longer {left}: nothing was rolled back"
    manifest = moving.roll_back(by=f"job {job.job_id}", why=WHY)
    return f"{manifest.version} is current"


def _find_trained(store: ArtifactStore, version: str) -> str:
    try:
        return store.manifest(version).trained_version
    except VersionUnknown:  # a refresh, say, that another one has replaced
        return version


def _import(job: StoredJob) -> str:
    from cli.catalog import run_import

    root = CatalogSettings().home / IMPORTS
    given = {
        name: find_below(root, value) if name in PATHS else value
        for name, value in job.params.items()
        if name != "source"
    }
    report, path = run_import(lambda: OPENERS[job.params["source"]](**given))
    books = report.changes["books"]
    return (
        f"{report.source} after {report.seconds:.0f} s: books {books.new:,} new, {books.changed:,} changed; "
        f"report {path.name}"
    )


def find_below(root: Path, name: str) -> Path:
    """A file, or a folder with all that is in it, below another one, wherever links lead.

    Raises SourceFileMissing, SourceFileUnreadable.
    """
    path, top = root / name, root.resolve()
    for each in chain([path], path.rglob("*")):  # lazily: what lies outside is not walked through
        if not each.resolve().is_relative_to(top):
            raise SourceFileUnreadable(each, f"lies outside of {root}; copy what it is a link to")
    if not path.exists():
        raise SourceFileMissing(path, expected="what is to be imported")
    return path


DOERS: Final[Mapping[str, Callable[[StoredJob], str]]] = {
    JobKind.REFRESH: _refresh,
    JobKind.TRAIN: _train,
    JobKind.PROMOTE: _promote,
    JobKind.ROLLBACK: _rollback,
    JobKind.IMPORT: _import,
}
