"""A version that answers like another one although each of its objects is new, as after a training."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from artifacts import formats
from artifacts.documents import Format
from artifacts.manifest import Manifest, ObjectEntry
from artifacts.store import ArtifactStore

BLANK: Final = b" "
"""What no format looks at behind a value, but that of tables."""


def seal_renewed(store: ArtifactStore) -> Manifest:
    """Such a version beside the current one, not promoted; what is kept as files of a folder stays."""
    manifest = store.manifest(str(store.current()))
    objects = tuple(_renew(store, entry) for entry in manifest.objects)
    renewed, draft = manifest.model_copy(update={"objects": objects}), store.draft()
    for owner in {entry.owner for entry in objects}:
        draft.keep(renewed, owner)
    kept = manifest.model_dump(
        include={"split_id", "data_fingerprint", "code_revision", "params", "seed", "metrics"}
    )
    return draft.seal(**kept, gate=manifest.gate)


def _renew(store: ArtifactStore, entry: ObjectEntry) -> ObjectEntry:
    if entry.format not in WRITERS:
        return entry
    write = partial(WRITERS[entry.format], store.objects.path(entry.digest))
    stored = store.objects.put(write, name=entry.name)
    return entry.model_copy(update={"digest": stored.digest, "bytes": stored.n_bytes})


def _append(path: Path, file: BinaryIO) -> None:
    file.write(path.read_bytes() + BLANK)


def _mark_table(path: Path, file: BinaryIO) -> None:
    table = formats.open_arrow(path)
    metadata = {**(table.schema.metadata or {}), b"renewed": BLANK}
    formats.write_arrow(table.replace_schema_metadata(metadata), file)


WRITERS: Final[dict[Format, Callable[[Path, BinaryIO], None]]] = {
    "npy": _append,
    "csr": _append,
    "json": _append,
    "faiss": _append,
    "arrow": _mark_table,
}
