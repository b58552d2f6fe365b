"""Points at a version, and removes what nobody needs any more by that."""

import structlog

from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore

log = structlog.get_logger()


def publish(
    store: ArtifactStore,
    version: str,
    *,
    by: str,
    why: str,
    force: bool = False,
    checked: Manifest | None = None,
) -> None:
    """Promote a version; it is in place whether or not old ones can be removed."""
    store.promote(version, by=by, why=why, force=force, checked=checked)
    try:
        store.gc()
    except ArtifactError as error:
        log.warning("old versions stay, remove them with `bookmesh versions gc`", error=str(error))
