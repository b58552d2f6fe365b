"""Garbage collection: which versions stay, and the removal of all that only the others needed.

Of versions stay: the current one, the last `keep` promoted ones, those on a fresh lease, those sealed within
the last hour, and, for inspection, the newest `keep` sealed after the current one and never promoted.
Of objects stay: those that a version needs, and those younger than an hour, whose version may not be sealed
yet. Temporary files stay for a day: no write takes so long.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from artifacts.errors import ManifestUnreadable
from artifacts.files import TEMPORARY, sync_folder
from artifacts.leases import read_fresh_leases, remove_stale_leases
from artifacts.manifest import VERSION_PATTERN, read_created_at, read_manifest
from artifacts.objects import OBJECTS, VIEWS
from artifacts.pointer import read_pointer, read_promotions

VERSIONS = "versions"
YOUNG = timedelta(hours=1)
ABANDONED = timedelta(days=1)


@dataclass(frozen=True)
class GcReport:
    """What one collection removed and kept."""

    kept_versions: tuple[str, ...]
    removed_versions: tuple[str, ...]
    n_removed_objects: int
    freed_bytes: int


def list_versions(root: Path) -> list[str]:
    """List the names of all versions, newest first."""
    names = (path.stem for path in (root / VERSIONS).glob("*.json"))
    return sorted((name for name in names if VERSION_PATTERN.fullmatch(name)), reverse=True)


def referenced(root: Path, versions: Iterable[str]) -> set[str]:
    """Return the digests that these versions need; ManifestUnreadable rather than a guess."""
    manifests = (read_manifest(root / VERSIONS / f"{version}.json") for version in versions)
    return {entry.digest for manifest in manifests for entry in manifest.objects}


def collect(root: Path, *, keep: int, now: datetime) -> GcReport:
    """Remove the versions that need not stay, then their objects; the caller holds the store's lock."""
    versions = list_versions(root)
    kept = _choose(root, versions, keep=keep, now=now)
    needed = referenced(root, kept)
    removed = [version for version in versions if version not in kept]
    for version in removed:
        (root / VERSIONS / f"{version}.json").unlink()
    if removed:
        sync_folder(root / VERSIONS)  # a manifest must not outlive its objects
    sizes = [_remove(path) for path in _old_objects(root, needed, now)]
    _remove_leftovers(root, needed, now)
    remove_stale_leases(root, now=now)
    return GcReport(tuple(v for v in versions if v in kept), tuple(removed), len(sizes), sum(sizes))


def _choose(root: Path, versions: Sequence[str], *, keep: int, now: datetime) -> set[str]:
    current = read_pointer(root)
    if current is not None and current not in versions:
        raise ManifestUnreadable(root / VERSIONS / f"{current}.json", "the current version has no manifest")
    promoted = [promotion.to_version for promotion in reversed(read_promotions(root))]
    last_promoted = list(dict.fromkeys(promoted))[:keep]
    leased = [version for lease in read_fresh_leases(root, now=now) for version in lease.versions]
    young = [version for version in versions if now - read_created_at(version) < YOUNG]
    unpromoted = [v for v in versions if v not in promoted and (current is None or v > current)][:keep]
    return {*last_promoted, *leased, *young, *unpromoted, *([current] if current else [])} & set(versions)


def _old_objects(root: Path, needed: set[str], now: datetime) -> list[Path]:
    objects = (root / OBJECTS).glob("*")
    return [path for path in objects if path.name not in needed and _age(path, now) > YOUNG]


def _remove_leftovers(root: Path, needed: set[str], now: datetime) -> None:
    for view in (root / VIEWS).glob("*"):
        if view.name not in needed:
            shutil.rmtree(view)
    for leftover in (root / TEMPORARY).glob("*"):
        if _age(leftover, now) > ABANDONED:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def _remove(path: Path) -> int:
    n_bytes = path.stat().st_size
    path.unlink()
    return n_bytes


def _age(path: Path, now: datetime) -> timedelta:
    return timedelta(seconds=now.timestamp() - path.lstat().st_mtime)
