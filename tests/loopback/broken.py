"""Versions that servers refuse, and a pointer that leads to them past every check."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from artifacts.manifest import Manifest
from artifacts.pointer import Promotion, move_pointer
from artifacts.store import ArtifactStore, utc_now
from contracts.shell import SERVER_NAMES, ServerName
from servers.metadata.model import MetadataModel
from tests.loopback.twin import seal_twin
from tests.meshes import Mesh

DAMAGED = "metadata/popular_order"
MISSING = "similarity/hybrid_index"


@dataclass(frozen=True)
class Broken:
    """A version that some servers cannot load, and all others can."""

    version: str
    refused_by: Collection[ServerName]
    why: str
    """Part of what they say."""

    def is_told(self, mesh: Mesh) -> bool:
        """Whether every server has moved on, or said why not."""
        infos = {name: info(mesh, name) for name in SERVER_NAMES}
        return all(
            self.why in str(state["last_reload_error"])
            if name in self.refused_by
            else state["version"] == self.version
            for name, state in infos.items()
        )


@contextmanager
def damaged(store: ArtifactStore) -> Iterator[Broken]:
    """A flipped bit."""
    twin = seal_twin(store)
    with damage(find_object(store, twin, DAMAGED)):
        yield Broken(twin.version, ["metadata"], f"{DAMAGED} is damaged")


@contextmanager
def half_copied(store: ArtifactStore) -> Iterator[Broken]:
    """The manifest is there, and of its objects one is not."""
    twin = seal_twin(store)
    find_object(store, twin, MISSING).unlink()
    yield Broken(twin.version, ["similarity"], f"{MISSING} is missing")


@contextmanager
def of_a_later_release(store: ArtifactStore) -> Iterator[Broken]:
    """Its manifest has a schema, and formats, that nobody knows yet."""
    twin = seal_twin(store)
    path = store.manifest_path(twin.version)
    content = path.read_text().replace('"schema_number": 1', '"schema_number": 2').replace("npy", "zarr")
    path.chmod(0o644)
    path.write_text(content)
    yield Broken(twin.version, SERVER_NAMES, "upgrade bookmesh")
    path.unlink()


@contextmanager
def failing_its_warm_up(store: ArtifactStore) -> Iterator[Broken]:
    """It is whole, and one server cannot answer from it."""

    def without_books(model: MetadataModel, _: int) -> MetadataModel:
        return replace(model, cards=model.cards.slice(0, 0))

    twin = seal_twin(store, metadata=without_books)
    yield Broken(twin.version, ["metadata"], "a first request to it failed")


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """One flipped bit meanwhile; objects are shared between versions, so it must not stay."""
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        yield
    finally:
        path.write_bytes(content)


def find_object(store: ArtifactStore, manifest: Manifest, name: str) -> Path:
    """The file of an object of a version."""
    return next(store.objects.path(entry.digest) for entry in manifest.objects if entry.name == name)


@contextmanager
def pointer_at(store: ArtifactStore, version: str) -> Iterator[None]:
    """The pointer moved past every check, as if the damage had come right after them; then rolled back."""
    point_at(store, version)
    try:
        yield
    finally:
        store.rollback(by="test", why="damage")


def point_at(store: ArtifactStore, version: str) -> None:
    """Move the pointer past every check."""
    move = Promotion(
        at=utc_now(), action="promote", from_version=store.current(), to_version=version,
        by="test", why="damage that only the servers can notice",
    )  # fmt: skip
    move_pointer(store.root, move)


def info(mesh: Mesh, name: ServerName) -> dict[str, object]:
    answer: dict[str, object] = httpx.get(f"{mesh.url(name)}/info").json()
    return answer
