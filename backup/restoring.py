"""Brings back what a backup holds: into an empty home and database, or in the place of what is there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from artifacts.copies import point_again, put_back
from artifacts.pointer import LOG, POINTER
from artifacts.store import ArtifactStore
from backup.archive import Listing, Reader, reading
from backup.errors import BackupDamaged, HomeNotEmpty
from backup.making import ARTIFACTS, CATALOG, SECRETS
from catalog.database import Database
from catalog.exporting import restore_catalog
from catalog.exporting.restore import is_empty
from catalog.schema import read_state
from catalog.sources.row_log import Progress
from foundation.secret_files import write_secret

NAMES: Final = re.compile(
    rf"{CATALOG}/\w+\.(json|parquet)|{SECRETS}/\w[\w.-]*"
    rf"|{ARTIFACTS}/({POINTER}|{re.escape(LOG)}|objects/[0-9a-f]{{64}}|versions/[\w-]+\.json)"
)
"""What a backup may hold: nothing that leads out of a folder."""


def check_backup(path: Path) -> Listing:
    """What a backup holds, after checking every byte of it. Raises BackupDamaged."""
    with _reading(path) as archive:
        return archive.listing


def restore_backup(
    db: Database,
    home: Path,
    store: ArtifactStore,
    path: Path,
    *,
    replace: bool = False,
    progress: Progress | None = None,
) -> Listing:
    """Make catalog, current version and secrets what they were when the backup was made.

    Versions that are there stay beside those of the backup; the pointer moves last. Raises BackupDamaged,
    HomeNotEmpty unless told to replace, ExportTooNew, ArtifactError; all is as it was before then.
    """
    with _reading(path) as archive:
        if not replace:
            _check_empty(db, home, store)
        with _putting_back(store, archive), TemporaryDirectory(prefix=".restore-", dir=home) as scratch:
            for name in archive.names(CATALOG):
                with Path(scratch, name).open("wb") as file:
                    archive.copy(f"{CATALOG}/{name}", file)
            restore_catalog(db, Path(scratch), replace=replace, progress=progress)
        for name in archive.names(SECRETS):
            write_secret(home / SECRETS / name, archive.read(f"{SECRETS}/{name}"))
        if archive.listing.version is not None:
            pointer, log = (archive.read(f"{ARTIFACTS}/{name}") for name in (POINTER, LOG))
            point_again(store, pointer, log)
        return archive.listing


@contextmanager
def _reading(path: Path) -> Iterator[Reader]:
    with reading(path) as archive:
        for member in archive.listing.members:
            if not NAMES.fullmatch(member.name):
                raise BackupDamaged(path, f"no backup holds {member.name}")
        yield archive


def _check_empty(db: Database, home: Path, store: ArtifactStore) -> None:
    if versions := store.versions():
        raise HomeNotEmpty(f"{store.root} holds {versions[0]}")
    if any((home / SECRETS).glob("[!.]*")):
        raise HomeNotEmpty(f"{home / SECRETS} is not empty")
    if read_state(db).found is None:
        return
    with db.session() as session:
        if not is_empty(session.connection(), private=True):
            raise HomeNotEmpty(f"{db.url} is not empty")


@contextmanager
def _putting_back(store: ArtifactStore, archive: Reader) -> Iterator[None]:
    """Write objects and manifests, and remove those that are new if the block raises."""
    new: list[Path] = []
    try:
        # Sorted, objects come before the manifests that name them.
        for name in sorted(name for name in archive.names(ARTIFACTS) if "/" in name):
            written = put_back(store, name, partial(archive.copy, f"{ARTIFACTS}/{name}"))
            new += [written] if written else []
        yield
    except BaseException:
        for path in reversed(new):
            path.unlink(missing_ok=True)
        raise
