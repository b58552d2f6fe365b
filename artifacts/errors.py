"""Everything that can go wrong with artifacts, each with its facts and what to do next.

ArtifactError
├── ArtifactCorrupt         a file differs from the digest in its manifest
├── ArtifactMissing         a manifest or a record names something that the store does not hold
├── GateRefused             the version did not pass the gate
├── LeaseNameInvalid        a holder's name cannot be a file name
├── ManifestUnreadable      a manifest is damaged, or of a newer release
├── NothingToRollBackTo     no earlier promotion is known
├── SealedByAnotherRelease  the version lacks a value that this release needs
├── StoreFull               the disk is full
├── UnsupportedValue        a value has no format that is safe to keep
└── VersionUnknown          no manifest of that name
"""

from collections.abc import Sequence
from pathlib import Path


class ArtifactError(Exception):
    """Base class of this package's errors."""


class ArtifactCorrupt(ArtifactError):
    """A file differs from the digest in its manifest; the version must not be served."""

    def __init__(self, path: Path, *, name: str, expected: str, actual: str) -> None:
        super().__init__(
            f"{name} is damaged: {path} has sha256 {actual[:12]}, the manifest says {expected[:12]}; "
            "serve another version and publish this one again"
        )
        self.path, self.name, self.expected, self.actual = path, name, expected, actual


class ArtifactMissing(ArtifactError):
    """A manifest or a record names something that the store does not hold."""

    def __init__(self, path: Path, *, name: str) -> None:
        super().__init__(f"{name} is missing: no {path}; serve another version and publish this one again")
        self.path, self.name = path, name


class GateRefused(ArtifactError):
    """The version did not pass the gate; promoting it takes force."""

    def __init__(self, version: str, failed: Sequence[str]) -> None:
        super().__init__(
            f"{version} did not pass the gate ({', '.join(failed) or 'no check recorded'}); "
            "promote it with force only if you know why"
        )
        self.version, self.failed = version, tuple(failed)


class LeaseNameInvalid(ArtifactError):
    """A holder's name cannot be a file name."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"lease holder {holder!r}: use letters, digits, '.', '_' and '-', at most 100")
        self.holder = holder


class ManifestUnreadable(ArtifactError):
    """A manifest is damaged, or was written by a newer release."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; promote another version, or delete this file to give it up")
        self.path, self.reason = path, reason


class NothingToRollBackTo(ArtifactError):
    """PROMOTIONS.jsonl knows no version before the current one."""

    def __init__(self, current: str | None) -> None:
        super().__init__(f"no version was promoted before {current or 'any'}; promote one by name instead")
        self.current = current


class SealedByAnotherRelease(ArtifactError):
    """The version lacks a value that this release needs; the release that sealed it can do without."""

    def __init__(self, name: str, *, version: str, release: str) -> None:
        super().__init__(
            f"{name} is not in {version}, which bookmesh {release} sealed: "
            "serve it with that release, or train anew"
        )
        self.name, self.version, self.release = name, version, release


class StoreFull(ArtifactError):
    """The disk is full; what was being written is gone again."""

    def __init__(self, path: Path, *, name: str, short_bytes: int) -> None:
        super().__init__(
            f"disk full while writing {name} below {path}; nothing was published; "
            f"free {short_bytes} bytes or more, then repeat"
        )
        self.path, self.name, self.short_bytes = path, name, short_bytes


class UnsupportedValue(ArtifactError):
    """A value has no format that is safe to keep, or would not come back as it was."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be kept: {reason}")
        self.name, self.reason = name, reason


class VersionUnknown(ArtifactError):
    """The store holds no manifest of that name."""

    def __init__(self, version: str, known: Sequence[str]) -> None:
        super().__init__(f"no version {version!r}; the store holds {', '.join(known[:5]) or 'none'}")
        self.version, self.known = version, tuple(known)
