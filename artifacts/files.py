"""Writes that survive a crash: a file is whole and on disk before its name exists, or it never was."""

import errno
import fcntl
import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from artifacts.errors import StoreFull

Writer = Callable[[BinaryIO], None]

TEMPORARY = "tmp"
LOCK = ".lock"
CHUNK_BYTES = 1 << 20
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Staged:
    """A whole, synced file that has no lasting name yet."""

    path: Path
    digest: str
    """sha256 in hex."""
    n_bytes: int


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Be the only thread of all processes to change the store; the kernel frees the lock of a dead one."""
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / LOCK, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def stage(root: Path, write: Writer, *, name: str) -> Staged:
    """Write a temporary file below root and sync it; StoreFull leaves nothing behind."""
    path = temporary_path(root)
    with refusing_full_disk(root, name=name, measure_needed=lambda: measure(write)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            digest, n_bytes = _write_synced(path, write)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return Staged(path, digest, n_bytes)


def publish(staged: Staged, target: Path, *, name: str) -> None:
    """Give a staged file its name, replacing what had it, so that a power cut cannot undo it."""
    with refusing_full_disk(target.parent, name=name, measure_needed=lambda: staged.n_bytes):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged.path, target)  # noqa: PTH105 - the crash tests stop at each call of os
        except OSError:
            staged.path.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)


def temporary_path(root: Path) -> Path:
    """Return a name below root that nobody else uses."""
    return root / TEMPORARY / f"{os.getpid()}-{secrets.token_hex(8)}"


@contextmanager
def refusing_full_disk(root: Path, *, name: str, measure_needed: Callable[[], int]) -> Iterator[None]:
    """Turn the system's error for a full disk into StoreFull, with what was written and what to free."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        n_bytes, free_bytes = measure_needed(), _read_free_bytes(root)
        # A quota can be used up while the disk is not; then all of it is missing.
        short_bytes = n_bytes - free_bytes if n_bytes > free_bytes else n_bytes
        raise StoreFull(root, name=name, short_bytes=short_bytes) from error


def replace_file(root: Path, target: Path, content: bytes, *, name: str) -> None:
    """Write a small file of the store whole, or not at all."""

    def write(file: BinaryIO) -> None:
        file.write(content)

    publish(stage(root, write, name=name), target, name=name)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_digest(path: Path) -> str:
    """Read the sha256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure(write: Writer) -> int:
    """Count the bytes that a writer would write."""
    counter = _Counter()
    write(cast("BinaryIO", counter))
    return counter.n_bytes


def _write_synced(path: Path, write: Writer) -> tuple[str, int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    try:
        raw = _HashedFile(descriptor)
        buffered = io.BufferedWriter(raw, CHUNK_BYTES)
        write(buffered)
        buffered.flush()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return raw.sha256.hexdigest(), raw.n_bytes


def _read_free_bytes(folder: Path) -> int:
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(existing).free


class _HashedFile(io.RawIOBase):
    """Hashes what it writes to a descriptor that stays its creator's to close."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.sha256 = hashlib.sha256()
        self.n_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        written = os.write(self._descriptor, data)
        self.sha256.update(memoryview(data)[:written])
        self.n_bytes += written
        return written


class _Counter(io.RawIOBase):
    """Throws away what is written to it, and counts."""

    n_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        n_bytes = memoryview(data).nbytes
        self.n_bytes += n_bytes
        return n_bytes
