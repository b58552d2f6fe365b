"""Writes the catalog, the versions that are served and the secrets of a home to one file, while all runs."""

import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from artifacts.copies import read_files
from artifacts.errors import ArtifactCorrupt
from artifacts.pointer import POINTER
from artifacts.store import ArtifactStore
from backup.archive import LISTING, Listing, Writer, writing
from catalog.database import Database
from catalog.exporting import FileFormat, export_catalog
from catalog.exporting.description import Description
from catalog.schema import check_migrated
from catalog.sources.row_log import Progress

ARTIFACTS: Final = "artifacts"
CATALOG: Final = "catalog"
SECRETS: Final = "secrets"


def make_backup(
    db: Database, home: Path, store: ArtifactStore, target: Path, *, progress: Progress | None = None
) -> tuple[Path, Listing]:
    """The file that was written, and what is in it; in a folder the file is named by the time.

    The catalog is that of one moment, and the versions are those of one before it. Raises BackupThere,
    ArtifactError, DatabaseNotMigrated; nothing is left then.
    """
    check_migrated(db)
    made_at = datetime.now(UTC)
    path = target / f"bookmesh-{made_at:%Y%m%dT%H%M%SZ}.tar" if target.is_dir() else target
    with writing(path) as archive:
        version = _add_artifacts(archive, store)
        catalog = _add_catalog(archive, db, path.parent, progress)
        for file in sorted(each for each in (home / SECRETS).glob("[!.]*") if each.is_file()):
            archive.add_file(f"{SECRETS}/{file.name}", file)
        listing = Listing(
            made_at=made_at.isoformat(timespec="seconds"),
            version=version,
            n_rows=sum(table.n_rows for table in catalog.tables),
            members=tuple(archive.members),
        )
        archive.add_bytes(LISTING, listing.model_dump_json(indent=1).encode())
    return path, listing


def _add_artifacts(archive: Writer, store: ArtifactStore) -> str | None:
    """The current version's name."""
    version = None
    for name, content in read_files(store, f"backup-{os.getpid()}"):
        if isinstance(content, Path):
            _add_object(archive, name, content)
            continue
        archive.add_bytes(f"{ARTIFACTS}/{name}", content)
        if name == POINTER:
            version = content.decode("ascii").strip()
    return version


def _add_object(archive: Writer, name: str, path: Path) -> None:
    """A damaged one would else be found when it is needed."""
    member = archive.add_file(f"{ARTIFACTS}/{name}", path)
    if member.sha256 != path.name:
        raise ArtifactCorrupt(path, name=name, expected=path.name, actual=member.sha256)


def _add_catalog(archive: Writer, db: Database, scratch: Path, progress: Progress | None) -> Description:
    """All tables but the jobs, and log-ins, which would bring back what was ended since."""
    # Beside the backup, where there is room, and where nobody else may look.
    with TemporaryDirectory(prefix=".bookmesh-", dir=scratch) as name:
        folder = Path(name, CATALOG)
        description = export_catalog(db, folder, FileFormat.PARQUET, private=True, progress=progress)
        for file in sorted(folder.iterdir()):
            archive.add_file(f"{CATALOG}/{file.name}", file)
    return description
