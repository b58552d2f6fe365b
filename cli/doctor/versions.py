"""The versions in the store: which is served, whether it is whole, and where a rollback would lead."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from cli.doctor.finding import AllSettings, Finding, failed, ok, warning
from cli.errors import TrainingNotInstalled
from cli.installation import check_can_train

OLD: Final = timedelta(hours=36)
"""A night was missed."""


def check_versions(settings: AllSettings) -> Iterator[Finding]:
    """A whole version is current, not old, and one to go back to is whole too."""
    store = ArtifactStore(settings.catalog.artifacts_root)
    current = store.current()
    if current is None:
        yield failed("versions", "no version is current, so no lists can be made", "`bookmesh train`")
        return
    if damage := store.verify(current):
        yield failed("versions", str(damage[0]), "`bookmesh versions rollback`, then `bookmesh train`")
        return
    manifest = store.manifest(current)
    yield _judge_age(manifest)
    previous = store.previous()
    if previous is None:
        yield ok("rollback", "there is no version before the current one yet")
    elif damage := store.verify(previous):
        yield warning(
            "rollback", f"it would fail: {damage[0]}", "`bookmesh train` makes another to go back to"
        )
    else:
        yield ok("rollback", f"leads to {previous}, which is whole")
    if refused := _find_refused(store, manifest):
        names = ", ".join(check.name for check in refused.gate.checks if check.failed)
        told = f"the gate has refused {refused.version} since ({names})"
        yield warning("gate", told, f"`bookmesh versions show {refused.version}` tells by how much")


def check_training(settings: AllSettings) -> Iterator[Finding]:
    """Who is to train has the libraries for it."""
    if not settings.worker.worker.trains:
        yield ok("training", "not by the worker: a timer is to run `bookmesh train --if-due`")
        return
    try:
        check_can_train()
    except TrainingNotInstalled as error:
        yield warning("training", "the worker cannot train here", str(error))
    else:
        yield ok("training", f"by the worker, each night at {settings.worker.worker.night_at:%H:%M}")


def _judge_age(manifest: Manifest) -> Finding:
    age = datetime.now(UTC) - manifest.trained_at
    told = f"{manifest.version} is current and whole, trained {age.total_seconds() / 3600:.0f} h ago"
    if age > OLD:
        return warning("versions", told, "`bookmesh jobs list` tells what became of the trainings since")
    return ok("versions", told)


def _find_refused(store: ArtifactStore, current: Manifest) -> Manifest | None:
    """The newest trained version, if it is newer than the current one and was refused."""
    for version in store.versions():
        try:
            manifest = store.manifest(version)
        except ArtifactError:
            continue
        if manifest.refresh_of is None:
            is_newer = manifest.created_at > current.created_at
            return manifest if is_newer and not manifest.gate.passed else None
    return None
