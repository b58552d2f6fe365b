"""What a backup takes of a store: the files of what is served and of where a rollback leads."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Final

from artifacts.collection import VERSIONS
from artifacts.errors import ArtifactCorrupt, ManifestUnreadable, VersionUnknown
from artifacts.files import Writer, exclusive, replace_file
from artifacts.manifest import Manifest, read_manifest
from artifacts.objects import OBJECTS
from artifacts.pointer import LOG, POINTER
from artifacts.store import ArtifactStore

RENEW_S: Final = 60.0
"""Between two renewals of the lease."""


def read_files(store: ArtifactStore, holder: str) -> Iterator[tuple[str, Path | bytes]]:
    """Name below the root, and path or content, of each file to keep; all of one moment, and leased."""
    try:
        manifests, pointer = _hold(store, holder)
        leased_s = time.monotonic()
        for digest in dict.fromkeys(entry.digest for each in manifests for entry in each.objects):
            if time.monotonic() - leased_s > RENEW_S:
                store.hold(holder, [each.version for each in manifests])
                leased_s = time.monotonic()
            yield f"{OBJECTS}/{digest}", store.objects.path(digest)
        for manifest in manifests:
            path = store.manifest_path(manifest.version)
            yield f"{VERSIONS}/{path.name}", path.read_bytes()
        yield from pointer.items()
    finally:
        store.release(holder)


def put_back(store: ArtifactStore, name: str, write: Writer) -> Path | None:
    """Write an object or a manifest; its path if it was not there.

    Raises ArtifactCorrupt, ManifestUnreadable.
    """
    path = store.root / name
    was_there = path.exists()
    if path.parent.name == OBJECTS:
        stored = store.objects.put(write, name=name)
        if stored.digest != path.name:
            store.objects.path(stored.digest).unlink()
            raise ArtifactCorrupt(path, name=name, expected=path.name, actual=stored.digest)
    elif not was_there:
        _put_manifest(store, path, write)
    return None if was_there else path


def point_again(store: ArtifactStore, pointer: bytes, log: bytes) -> None:
    """Move the pointer to where it was, with the log of how it came there."""
    with exclusive(store.root):
        replace_file(store.root, store.root / LOG, log, name=LOG)
        replace_file(store.root, store.root / POINTER, pointer, name=POINTER)


def _put_manifest(store: ArtifactStore, path: Path, write: Writer) -> None:
    content = BytesIO()
    write(content)
    replace_file(store.root, path, content.getvalue(), name=path.name)
    try:
        read_manifest(path)
    except ManifestUnreadable:
        path.unlink()
        raise


def _hold(store: ArtifactStore, holder: str) -> tuple[Sequence[Manifest], dict[str, bytes]]:
    """The manifests to keep, leased, and the pointer's two files, which fit them."""
    while True:
        manifests = _choose(store)
        with suppress(VersionUnknown):  # collected meanwhile
            store.hold(holder, [each.version for each in manifests])
            with exclusive(store.root):
                names = [name for name in (LOG, POINTER) if (store.root / name).exists()]
                pointer = {name: (store.root / name).read_bytes() for name in names}
                if store.current() in {None, *(each.version for each in manifests)}:
                    return manifests, pointer


def _choose(store: ArtifactStore) -> list[Manifest]:
    current = store.current()
    if current is None:
        return []
    chosen = {current: store.manifest(current)}
    for version in (chosen[current].refresh_of, store.previous()):
        if version is not None and store.manifest_path(version).exists():
            chosen[version] = store.manifest(version)
    return list(chosen.values())
