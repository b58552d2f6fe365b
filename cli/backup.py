"""Commands that keep all that a home and its catalog hold: backup, restore."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from artifacts.store import ArtifactStore
from catalog.database import open_database
from catalog.settings import CatalogSettings
from cli.console import err, out
from cli.errors import MeshRuns
from cli.process_table import lock_path
from cli.progress import bars
from foundation.lock import hold_lock
from pipeline.errors import AlreadyTraining

MIB = 2**20


def backup(
    target: Annotated[
        Path, typer.Argument(help="A file that is not there yet, or a folder, which gets one with a date.")
    ],
) -> None:
    """Write the catalog, the current version, the one before and the secrets to one file, while all runs."""
    from backup.making import make_backup

    settings = CatalogSettings()
    with closing(open_database(settings.catalog_url)) as db, bars() as progress:
        store = ArtifactStore(settings.artifacts_root)
        path, listing = make_backup(db, settings.home, store, target, progress=progress.update)
    size = f"{path.stat().st_size / MIB:.1f} MiB"
    _print(f"{path}: {listing.n_rows:,} rows, version {listing.version or 'none'}, {size}")
    err.print("it holds personal data and secrets: keep it as the database itself")


def restore(
    path: Annotated[Path, typer.Argument(help="File that `bookmesh backup` wrote.")],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Give up the catalog, the secrets and the pointer that are there."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every byte, write nothing.")] = False,
) -> None:
    """Make catalog, current version and secrets what they were when the backup was made; all, or nothing."""
    from backup.restoring import check_backup, restore_backup

    if dry_run:
        what, listing = "whole", check_backup(path)
    else:
        settings = CatalogSettings()
        with (
            hold_lock(lock_path(settings.home), MeshRuns),
            hold_lock(settings.lock_path, AlreadyTraining),
            closing(open_database(settings.catalog_url)) as db,
            bars() as progress,
        ):
            store = ArtifactStore(settings.artifacts_root)
            listing = restore_backup(
                db, settings.home, store, path, replace=replace, progress=progress.update
            )
        what = "restored"
    made = f"made at {listing.made_at} by bookmesh {listing.release}"
    _print(f"{what}: {listing.n_rows:,} rows, version {listing.version or 'none'}, {made}")


def _print(line: str) -> None:
    out.print(line, highlight=False, soft_wrap=True)
