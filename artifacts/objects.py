"""Immutable objects named by their sha256, and the folders of links that show some of them as a tree."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from artifacts.errors import ArtifactCorrupt, ArtifactMissing, UnsupportedValue
from artifacts.files import (
    Writer,
    exclusive,
    publish,
    read_digest,
    refusing_full_disk,
    stage,
    sync_folder,
    temporary_path,
)
from artifacts.manifest import ObjectEntry

OBJECTS = "objects"
VIEWS = "views"
ReadDigest = Callable[[Path], str]
BLOCK_BYTES = 4096
"""What a link takes on most file systems."""


@dataclass(frozen=True)
class Stored:
    """What one put left in the store."""

    digest: str
    n_bytes: int
    is_new: bool
    """False if the store held the same content already."""


class ObjectStore:
    """The objects below one root folder."""

    def __init__(self, root: Path, read_digest: ReadDigest = read_digest) -> None:
        self.root = root
        self._read_digest = read_digest

    def path(self, digest: str) -> Path:
        """Return where the object of this digest is, or would be."""
        return self.root / OBJECTS / digest

    def holds(self, path: Path) -> bool:
        """Whether a resolved path is that of an object, as links in a view lead to."""
        return path.parent == (self.root / OBJECTS).resolve()

    def put(self, write: Writer, *, name: str) -> Stored:
        """Store what write writes, once; StoreFull names the object and leaves nothing of it."""
        staged = stage(self.root, write, name=name)
        target = self.path(staged.digest)
        # An object that is damaged on disk is written anew: publishing again is how one repairs it.
        is_held = _is_intact(target, staged.digest)
        with exclusive(self.root):
            if is_held and target.exists():
                os.utime(target)  # young again, or the garbage collection could take it before it is sealed
                staged.path.unlink()
            else:
                publish(staged, target, name=name)
        return Stored(staged.digest, staged.n_bytes, is_new=not is_held)

    def check(self, entry: ObjectEntry) -> None:
        """Raise ArtifactMissing or ArtifactCorrupt unless the object's bytes are those of its digest."""
        path = self.path(entry.digest)
        try:
            actual = self._read_digest(path)
        except FileNotFoundError:
            raise ArtifactMissing(path, name=entry.name) from None
        if actual != entry.digest:
            raise ArtifactCorrupt(path, name=entry.name, expected=entry.digest, actual=actual)

    def check_present(self, entries: Iterable[ObjectEntry]) -> None:
        """Raise ArtifactMissing for the first object that has no file; reads no content."""
        for entry in entries:
            if not self.path(entry.digest).exists():
                raise ArtifactMissing(self.path(entry.digest), name=entry.name)

    def view(self, digest: str, files: Mapping[str, str], *, name: str) -> Path:
        """Return a folder with a link for each file (path → digest), made when a listing is first opened.

        The folder itself is an ordinary one: a reader may keep its lock files in it.
        """
        target = self.root / VIEWS / digest
        if not _shows(target, files):
            needed_bytes = BLOCK_BYTES * (1 + len(files))
            with refusing_full_disk(self.root, name=name, measure_needed=lambda: needed_bytes):
                self._build_view(target, files)
        return target

    def sync(self) -> None:
        """Make the names of all objects survive a power cut, also those that a killed process gave."""
        folder = self.root / OBJECTS
        if folder.exists():
            sync_folder(folder)

    def _build_view(self, target: Path, files: Mapping[str, str]) -> None:
        staging = temporary_path(self.root)
        try:
            staging.mkdir(parents=True)
            for path, digest in files.items():
                _check_relative(path)
                link = staging / path
                link.parent.mkdir(parents=True, exist_ok=True)
                # Relative: the store can move. Symbolic: a hard link to another user's file is refused.
                link.symlink_to(os.path.relpath(self.path(digest), target.joinpath(path).parent))
            with exclusive(self.root):
                if not _shows(target, files):
                    shutil.rmtree(target, ignore_errors=True)
                    target.parent.mkdir(exist_ok=True)
                    staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _is_intact(path: Path, digest: str) -> bool:
    try:
        return read_digest(path) == digest
    except FileNotFoundError:
        return False


def _shows(view: Path, files: Iterable[str]) -> bool:
    return view.is_dir() and all((view / path).exists() for path in files)


def _check_relative(path: str) -> None:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise UnsupportedValue(path, "it leads out of its folder")
