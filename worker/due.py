"""Whether it is time to train, or to refresh what is served."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from artifacts.collection import VERSIONS, list_versions
from artifacts.errors import ManifestUnreadable
from artifacts.manifest import Manifest, read_manifest
from artifacts.pointer import POINTER, read_pointer
from catalog.jobs import FINISHED, JobKind, list_jobs
from catalog.tables import JobState, Rating
from worker.settings import WorkerOptions

LONG_AGO: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Due:
    """Whether something is due."""

    is_due: bool
    why: str
    """Or why not."""


def check_training(options: WorkerOptions, artifacts_root: Path, session: Session, *, now: datetime) -> Due:
    """Whether a night has passed since the newest training, or enough ratings have come.

    A version that the gate refused counts as well: the same data would be refused again. So does a training
    that an operator has cancelled: it waits for the next night.
    """
    newest = _find_newest_trained(artifacts_root)
    if newest is None:
        has_ratings = session.scalar(select(Rating.user_id).limit(1)) is not None
        return Due(has_ratings, "nothing was trained yet" if has_ratings else "there are no ratings yet")
    night = _find_last_night(options, now)
    if max(newest.created_at, _find_last_cancelled(session)) < night:
        return Due(True, f"a night has passed since {newest.version}")
    since = newest.catalog_read_at or newest.created_at
    n_new = session.scalar(
        select(func.count()).select_from(Rating).where(Rating.created_at >= since.timestamp())
    )
    came = f"{n_new or 0:,} of {options.new_ratings:,} ratings have come since {newest.version}"
    if (n_new or 0) >= options.new_ratings:
        return Due(True, came)
    return Due(False, f"{came}, and the next night is {night + timedelta(days=1):%Y-%m-%d %H:%M}")


def check_refresh(artifacts_root: Path, session: Session) -> Due:
    """Whether the current version lacks a change of the catalog that nothing in the queue will bring to it.

    Every change leaves a refresh in the queue: this is for one that failed, and for an older version that
    somebody has pointed at since.
    """
    current = read_pointer(artifacts_root)
    if current is None:
        return Due(False, "no version is current")
    last = next(iter(list_jobs(session, kind=JobKind.REFRESH, states=FINISHED, limit=1)), None)
    if last is not None and last.state is JobState.FAILED:
        return Due(True, f"job {last.job_id} failed")
    moved_at = (artifacts_root / POINTER).stat().st_mtime
    if last is not None and last.started_at is not None and last.started_at < moved_at:
        manifest = read_manifest(artifacts_root / VERSIONS / f"{current}.json")
        known_at = (manifest.catalog_read_at or manifest.created_at).timestamp()
        # It was due when the catalog changed, or later.
        if known_at < last.due_at:
            return Due(True, f"{current} is current, and older than what job {last.job_id} was for")
    return Due(False, f"{current} knows all changes")


def _find_newest_trained(artifacts_root: Path) -> Manifest | None:
    for version in list_versions(artifacts_root):
        try:
            manifest = read_manifest(artifacts_root / VERSIONS / f"{version}.json")
        except (ManifestUnreadable, FileNotFoundError):
            continue  # damaged, or just collected
        if manifest.refresh_of is None:
            return manifest
    return None


def _find_last_cancelled(session: Session) -> datetime:
    cancelled = list_jobs(session, kind=JobKind.TRAIN, states=[JobState.CANCELLED], limit=1)
    return max((datetime.fromtimestamp(job.finished_at or 0, UTC) for job in cancelled), default=LONG_AGO)


def _find_last_night(options: WorkerOptions, now: datetime) -> datetime:
    local = now.astimezone()
    night = local.replace(hour=options.night_at.hour, minute=options.night_at.minute, second=0, microsecond=0)
    return night if night <= local else night - timedelta(days=1)
