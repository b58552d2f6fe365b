"""Moves the pointer to another version, for commands and jobs: servers hear of it, and so do operators."""

from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from catalog.settings import CatalogSettings
from cli.notifying import open_notifier
from cli.reloading import find_servers, signal_servers
from notifications.notice import describe_promotion, describe_rollback


def promote(version: str, *, by: str, why: str, force: bool) -> Manifest:
    """Point at a version. Raises ArtifactError."""
    servers, notifier, store = find_servers(), open_notifier("versions"), open_store()
    former = store.current()
    manifest = store.promote(version, by=by, why=why, force=force)
    signal_servers(servers)
    if version != former:
        notifier.send(describe_promotion(manifest, former, by=by, why=why))
    return manifest


def roll_back(*, by: str, why: str) -> Manifest:
    """Point at the trained version before the current one. Raises ArtifactError."""
    servers, notifier, store = find_servers(), open_notifier("versions"), open_store()
    former = store.current()
    manifest = store.rollback(by=by, why=why)
    signal_servers(servers)
    notifier.send(describe_rollback(manifest, former, by=by, why=why))
    return manifest


def open_store() -> ArtifactStore:
    """That of this home."""
    return ArtifactStore(CatalogSettings().artifacts_root)
