"""The file of a backup: a tar, whose last member names the size and the digest of every other one."""

import hashlib
import io
import os
import secrets
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from backup.errors import BackupDamaged, BackupThere
from foundation.release import RELEASE

LISTING: Final = "backup.json"
CHUNK_BYTES: Final = 1 << 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Member(_Frozen):
    """One file of a backup."""

    name: str
    bytes: NonNegativeInt
    sha256: str


class Listing(_Frozen):
    """What a backup is."""

    what: Literal["bookmesh backup"] = "bookmesh backup"
    release: str = RELEASE
    made_at: str
    """ISO 8601, UTC."""
    version: str | None
    """Of the models, that was current."""
    n_rows: NonNegativeInt
    """Of the catalog."""
    members: tuple[Member, ...]


class Writer:
    """Adds files one after the other."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.members: list[Member] = []

    def add_file(self, name: str, path: Path) -> Member:
        """Add a file that nobody changes meanwhile."""
        with path.open("rb") as file:
            return self._add(name, file, os.fstat(file.fileno()).st_size)

    def add_bytes(self, name: str, content: bytes) -> Member:
        """Add a small file."""
        return self._add(name, io.BytesIO(content), len(content))

    def _add(self, name: str, file: BinaryIO, n_bytes: int) -> Member:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = n_bytes, 0o600, int(time.time())
        hashed = _Hashed(file)
        self._tar.addfile(info, hashed)
        member = Member(name=name, bytes=n_bytes, sha256=hashed.digest.hexdigest())
        self.members.append(member)
        return member


class Reader:
    """A backup of which every byte was checked."""

    def __init__(self, tar: tarfile.TarFile, listing: Listing) -> None:
        self._tar = tar
        self.listing = listing

    def names(self, folder: str) -> list[str]:
        """The members below a folder, by their names there."""
        names = (member.name for member in self.listing.members)
        return [name.removeprefix(f"{folder}/") for name in names if name.startswith(f"{folder}/")]

    def copy(self, name: str, to: BinaryIO) -> None:
        """Write a member's content to an open file."""
        with _open(self._tar, name) as file:
            shutil.copyfileobj(file, to, CHUNK_BYTES)

    def read(self, name: str) -> bytes:
        """The content of a small member."""
        with _open(self._tar, name) as file:
            return file.read()


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A new backup, which its owner alone can read; the file appears when the block ends well."""
    if path.exists():
        raise BackupThere(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield Writer(tar)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """A backup, once every byte of it was checked. Raises BackupDamaged."""
    try:
        tar = tarfile.open(path, "r:")  # noqa: SIM115  (it is closed below)
    except (tarfile.TarError, OSError) as error:
        raise BackupDamaged(path, f"no backup ({getattr(error, 'strerror', error)})") from error
    with tar:
        try:
            listing = _check(path, tar)
        except (tarfile.TarError, OSError) as error:
            raise BackupDamaged(path, f"not a whole backup ({error})") from error
        yield Reader(tar, listing)


def _check(path: Path, tar: tarfile.TarFile) -> Listing:
    try:
        listing = Listing.model_validate_json(_open(tar, LISTING).read())
    except KeyError:
        raise BackupDamaged(path, "not a whole backup, its list of contents is missing") from None
    except ValidationError as error:
        raise BackupDamaged(path, f"its {LISTING} is not one that `bookmesh backup` writes") from error
    if {info.name for info in tar} != {LISTING, *(member.name for member in listing.members)}:
        raise BackupDamaged(path, f"its files are not those that its {LISTING} names")
    for member in listing.members:
        with _open(tar, member.name) as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != member.sha256:
            found = f"{member.name} has sha256 {actual[:12]}, {LISTING} says {member.sha256[:12]}"
            raise BackupDamaged(path, found)
    return listing


def _open(tar: tarfile.TarFile, name: str) -> io.BufferedReader:
    """Raises KeyError; what is no file is not there."""
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return cast("io.BufferedReader", file)


class _Hashed(io.RawIOBase):
    """Digests what is read through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk
