"""Garbage collection: which versions stay, and the removal of all that only the others needed.

Of versions stay: the current one, the last `keep` trained ones that were current, by themselves or by a
refresh, the last two refreshes, since somebody may be about to load the former, those on a fresh lease, those
sealed within the last hour, and, for inspection, the newest `keep` sealed after the current one and never
promoted. Refreshes come by the minute: one that was replaced goes at once, with what nobody wrote since.
Of other objects stay: those that a version needs, and those younger than an hour, whose version may not be
sealed yet. Temporary files stay for a day: no write takes so long.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from artifacts.errors import ManifestUnreadable
from artifacts.files import TEMPORARY, sync_folder
from artifacts.leases import read_fresh_leases, remove_stale_leases
from artifacts.manifest import VERSION_PATTERN, read_created_at, read_manifest
from artifacts.objects import OBJECTS, VIEWS
from artifacts.pointer import Promotion, read_pointer, read_promotions

VERSIONS = "versions"
YOUNG = timedelta(hours=1)
ABANDONED = timedelta(days=1)
REFRESHES_KEPT = 2


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
    versions, promotions = list_versions(root), read_promotions(root)
    kept = _choose(root, versions, promotions, keep=keep, now=now)
    needed = referenced(root, kept)
    removed = [version for version in versions if version not in kept]
    sealed_at = _date_objects(root, _find_refreshes(promotions).intersection(removed))
    for version in removed:
        (root / VERSIONS / f"{version}.json").unlink()
    if removed:
        sync_folder(root / VERSIONS)  # a manifest must not outlive its objects
    sizes = [_remove(path) for path in _old_objects(root, needed, sealed_at, now)]
    _remove_leftovers(root, needed, now)
    remove_stale_leases(root, now=now)
    return GcReport(tuple(v for v in versions if v in kept), tuple(removed), len(sizes), sum(sizes))


def _choose(
    root: Path, versions: Sequence[str], promotions: Sequence[Promotion], *, keep: int, now: datetime
) -> set[str]:
    current = read_pointer(root)
    if current is not None and current not in versions:
        raise ManifestUnreadable(root / VERSIONS / f"{current}.json", "the current version has no manifest")
    promoted = [promotion.to_version for promotion in reversed(promotions)]
    trained = list(dict.fromkeys(promotion.trained_version for promotion in reversed(promotions)))[:keep]
    refreshes = _find_refreshes(promotions)
    last_refreshes = [v for v in dict.fromkeys(promoted) if v in refreshes][:REFRESHES_KEPT]
    leased = [version for lease in read_fresh_leases(root, now=now) for version in lease.versions]
    young = [v for v in versions if v not in refreshes and now - read_created_at(v) < YOUNG]
    unpromoted = [v for v in versions if v not in promoted and (current is None or v > current)][:keep]
    kept = {*trained, *last_refreshes, *leased, *young, *unpromoted, *([current] if current else [])}
    return kept & set(versions)


def _find_refreshes(promotions: Iterable[Promotion]) -> set[str]:
    """Return the refreshes that were current at any time."""
    return {promotion.to_version for promotion in promotions if promotion.refresh_of is not None}


def _date_objects(root: Path, versions: Iterable[str]) -> dict[str, datetime]:
    """Return the digests of what these versions need, and when the last of them was sealed."""
    sealed_at: dict[str, datetime] = {}
    for version in sorted(versions):
        with suppress(ManifestUnreadable):  # its objects go when they are old
            manifest = read_manifest(root / VERSIONS / f"{version}.json")
            sealed_at.update(dict.fromkeys((entry.digest for entry in manifest.objects), manifest.created_at))
    return sealed_at


def _old_objects(
    root: Path, needed: set[str], sealed_at: Mapping[str, datetime], now: datetime
) -> list[Path]:
    """Return what no version needs, and no version in the making may."""
    old = now - YOUNG
    objects = [path for path in (root / OBJECTS).glob("*") if path.name not in needed]
    return [path for path in objects if _written_at(path) < max(old, sealed_at.get(path.name, old))]


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
    return now - _written_at(path)


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
