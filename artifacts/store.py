"""The artifact store: drafts become sealed versions, one of which is current.

On disk, below the store's root (docs/adr/0002-content-addressed-artifacts.md has the reasons):

    objects/<sha256>          immutable files: .npy, Arrow IPC, FAISS, JSON, or a file of a folder value
    versions/<version>.json   manifests; a version is its manifest and the objects that it names
    CURRENT                   the name of the current version
    PROMOTIONS.jsonl          every move of the pointer: when, who, from, to, why
    leases/<holder>.json      the versions that a running process holds
    views/<sha256>/           a folder value as a tree of links, made when it is first opened
    tmp/                      files that are being written
    .lock                     flock: taken for every change, never for reading
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from artifacts import collection, leases, pointer
from artifacts.collection import GcReport
from artifacts.errors import (
    ArtifactError,
    GateRefused,
    NothingToRollBackTo,
    SealedByAnotherRelease,
    StoreFull,
    UnsupportedValue,
    VersionUnknown,
)
from artifacts.files import exclusive, read_digest, replace_file, sync_folder
from artifacts.formats import check_json
from artifacts.manifest import (
    SCHEMA_NUMBER,
    VERSION_PATTERN,
    GateVerdict,
    Manifest,
    ObjectEntry,
    encode_manifest,
    name_version,
    read_manifest,
)
from artifacts.objects import ObjectStore, ReadDigest
from artifacts.pointer import Promotion
from artifacts.records import RecordReader, Values, find_held, write_record

R = TypeVar("R")


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Loaded(Generic[R]):
    """A record in memory, with its opened values, so that the next version opens only what changed."""

    record: R
    version: str
    values: Values


class ArtifactStore:
    """The versions below one root folder, safe to use from many threads and processes at once."""

    def __init__(
        self, root: Path, *, now: Callable[[], datetime] = utc_now, read_digest: ReadDigest = read_digest
    ) -> None:
        """`read_digest` is how objects are checked that are there."""
        self.root = root
        self.now = now
        self.objects = ObjectStore(root, read_digest)

    def draft(self) -> "Draft":
        """Begin a new version."""
        return Draft(self)

    def manifest(self, version: str) -> Manifest:
        """Read one version's manifest; VersionUnknown or ManifestUnreadable."""
        if not VERSION_PATTERN.fullmatch(version):
            raise VersionUnknown(version, self.versions())
        try:
            return read_manifest(self.manifest_path(version))
        except FileNotFoundError:
            raise VersionUnknown(version, self.versions()) from None

    def manifests(self) -> list[Manifest]:
        """Read all manifests, newest first; those that cannot be read are left out."""
        manifests = []
        for version in self.versions():
            with suppress(ArtifactError):  # damaged, of a later release, or just collected
                manifests.append(self.manifest(version))
        return sorted(manifests, key=lambda each: (each.created_at, each.version), reverse=True)

    def versions(self) -> list[str]:
        """List the names of all versions, newest first."""
        return collection.list_versions(self.root)

    def manifest_path(self, version: str) -> Path:
        """Return where a version's manifest is, or would be."""
        return self.root / collection.VERSIONS / f"{version}.json"

    def current(self) -> str | None:
        """Read the current version's name; None before the first promotion."""
        return pointer.read_pointer(self.root)

    def promotions(self) -> list[Promotion]:
        """Read all moves of the pointer, oldest first."""
        with exclusive(self.root):
            return pointer.read_promotions(self.root)

    def previous(self) -> str | None:
        """Read which trained version was current before the current one's: where a rollback would lead."""
        return pointer.promoted_before_current(self.promotions())

    def promote(
        self, version: str, *, by: str, why: str, force: bool = False, checked: Manifest | None = None
    ) -> Manifest:
        """Point at a version, after checking every byte of it; promoting the current one changes nothing.

        What `checked` has too, a version that is in use, is not read again. Raises GateRefused unless its
        gate passed or force is given, and the first error that verify finds.
        """
        manifest = self.manifest(version)
        if not (manifest.gate.passed or force):
            raise GateRefused(version, [check.name for check in manifest.gate.checks if check.failed])
        self._check_whole(manifest, checked)
        with exclusive(self.root):
            if self.current() != version:
                self._move("promote", version, by=by, why=why, forced=not manifest.gate.passed)
        return manifest

    def rollback(self, *, by: str, why: str) -> Manifest:
        """Point at the trained version before the current one; again, and it is the one before that.

        From a refresh it is the one before the version that it refreshes. Raises NothingToRollBackTo, or the
        first error that verify finds in that version.
        """
        with exclusive(self.root):
            target = pointer.promoted_before_current(pointer.read_promotions(self.root))
            if target is None:
                raise NothingToRollBackTo(self.current())
            manifest = self.manifest(target)
            self._check_whole(manifest)
            self._move("rollback", target, by=by, why=why)
            return manifest

    def load(self, manifest: Manifest, owner: str, cls: type[R], reuse: Loaded[R] | None = None) -> Loaded[R]:
        """Open one owner's record of a version, mapped, but for values that reuse has open already.

        Raises ArtifactMissing, ArtifactCorrupt or SealedByAnotherRelease, naming the object.
        """
        entries = {entry.name: entry for entry in manifest.owned_by(owner)}
        not_sealed = partial(SealedByAnotherRelease, version=manifest.version, release=manifest.release)
        reader = RecordReader(self.objects, entries, not_sealed, reuse.values if reuse else {})
        return Loaded(reader.read(cls, owner), manifest.version, reader.opened)

    def verify(self, version: str) -> list[ArtifactError]:
        """Check every byte of a version; return what is wrong, nothing if all is well."""
        try:
            manifest = self.manifest(version)
        except ArtifactError as error:
            return [error]
        return [damage for entry in manifest.objects if (damage := self._find_damage(entry))]

    def hold(self, holder: str, versions: Iterable[str]) -> None:
        """Take or renew a lease on versions, for five minutes; VersionUnknown if one is gone already."""
        held = list(versions)
        with exclusive(self.root):
            for version in held:
                if not self.manifest_path(version).exists():
                    raise VersionUnknown(version, self.versions())
            leases.write_lease(self.root, holder, held, now=self.now())

    def release(self, holder: str) -> None:
        """Give a lease back."""
        leases.remove_lease(self.root, holder)

    def gc(self, *, keep: int = 3) -> GcReport:
        """Remove what nobody needs any more; artifacts.collection says what stays."""
        with exclusive(self.root):
            return collection.collect(self.root, keep=keep, now=self.now())

    def _find_damage(self, entry: ObjectEntry) -> ArtifactError | None:
        try:
            self.objects.check(entry)
        except ArtifactError as error:
            return error
        return None

    def _check_whole(self, manifest: Manifest, checked: Manifest | None = None) -> None:
        known = {entry.digest for entry in checked.objects} if checked else set()
        for entry in manifest.objects:
            if entry.digest not in known:
                self.objects.check(entry)

    def _move(
        self, action: Literal["promote", "rollback"], version: str, *, by: str, why: str, forced: bool = False
    ) -> None:
        # It was whole before the lock was taken; a garbage collection may have come between.
        manifest = self.manifest(version)
        self.objects.check_present(manifest.objects)
        sync_folder(self.manifest_path(version).parent)
        promotion = Promotion(
            at=self.now(),
            action=action,
            from_version=self.current(),
            to_version=version,
            by=by,
            why=why,
            forced=forced,
            refresh_of=manifest.refresh_of,
        )
        pointer.move_pointer(self.root, promotion)


class Draft:
    """A version in the making: nothing points at its objects until it is sealed."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._entries: list[ObjectEntry] = []
        self._new: list[str] = []

    def add(self, owner: str, record: object) -> None:
        """Store a record under its owner's name; on StoreFull, all that this draft had stored is removed."""
        if owner in {entry.owner for entry in self._entries}:
            raise UnsupportedValue(owner, "the draft has a record of this owner already")
        self._write_record(owner, record, {})

    def renew(self, manifest: Manifest, owner: str, former: object, record: object) -> None:
        """Store a record in the place of that which a version has; what both share is not written again."""
        held = find_held(former, owner, {entry.name: entry for entry in manifest.owned_by(owner)})
        self._write_record(owner, record, held)

    def keep(self, manifest: Manifest, owner: str) -> None:
        """Take over an owner's objects of another version, as they are."""
        self._entries += manifest.owned_by(owner)

    def seal(
        self,
        *,
        split_id: str,
        data_fingerprint: str,
        code_revision: str,
        params: dict[str, Any],
        seed: int,
        metrics: dict[str, Any],
        gate: GateVerdict,
        refresh_of: str | None = None,
        catalog_state: str | None = None,
        catalog_read_at: datetime | None = None,
    ) -> Manifest:
        """Make the draft a version; ArtifactMissing if one of its objects was collected meanwhile.

        Raises UnsupportedValue for parameters or metrics that JSON cannot hold: NaN, a NumPy integer.
        """
        check_json("params", params)
        check_json("metrics", metrics)
        with self._discarding_when_full(), exclusive(self._store.root):
            self._store.objects.check_present(self._entries)
            self._store.objects.sync()
            manifest = Manifest(
                schema_number=SCHEMA_NUMBER,
                version="",
                created_at=self._store.now(),
                parent=self._store.current(),
                split_id=split_id,
                data_fingerprint=data_fingerprint,
                code_revision=code_revision,
                params=params,
                seed=seed,
                metrics=metrics,
                gate=gate,
                objects=tuple(self._entries),
                refresh_of=refresh_of,
                catalog_state=catalog_state,
                catalog_read_at=catalog_read_at,
            )
            return self._write(manifest)

    def _write_record(self, owner: str, record: object, held: Mapping[int, ObjectEntry]) -> None:
        with self._discarding_when_full():
            objects, on_new = self._store.objects, self._new.append
            self._entries += write_record(objects, owner, record, on_new=on_new, held=held)

    def _write(self, unnamed: Manifest) -> Manifest:
        path = self._store.manifest_path(name_version(unnamed))
        while path.exists():  # the same content in the same instant, or 24 bits that collide
            unnamed = unnamed.model_copy(
                update={"created_at": unnamed.created_at + timedelta(microseconds=1)}
            )
            path = self._store.manifest_path(name_version(unnamed))
        manifest = unnamed.model_copy(update={"version": path.stem})
        replace_file(self._store.root, path, encode_manifest(manifest), name=f"manifest {path.stem}")
        return manifest

    @contextmanager
    def _discarding_when_full(self) -> Iterator[None]:
        try:
            yield
        except StoreFull:
            with suppress(ArtifactError):  # the full disk is the news
                self._discard()
            raise

    def _discard(self) -> None:
        with exclusive(self._store.root):
            sealed = collection.referenced(self._store.root, self._store.versions())
            for digest in set(self._new) - sealed:
                self._store.objects.path(digest).unlink(missing_ok=True)
        self._entries.clear()
        self._new.clear()
