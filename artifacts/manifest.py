"""The manifest of one version: where it came from, how it was judged, and each of its objects."""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, JsonValue, ValidationError

from artifacts.documents import Document, Format, encode_json
from artifacts.errors import ManifestUnreadable, UnsupportedValue

SCHEMA_NUMBER: Literal[1] = 1
VERSION_PATTERN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
FIRST_RELEASE = "0.1.0"


class ObjectEntry(Document):
    """One object of a version."""

    name: str
    """`<owner>/<field>`; the parts of a value add their own names to it."""
    owner: str
    format: Format
    digest: str
    """sha256 in hex, and the object's file name."""
    bytes: int
    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    """Of an array or matrix; (rows, columns) of a table; (vectors, dimensions) of an index."""


class GateCheck(Document):
    """One check of the gate."""

    name: str
    value: float | None
    threshold: float | None
    passed: bool
    skipped: bool = False
    """Not made or not judged, and so not passed either; the detail says why that refuses no version."""
    detail: str = ""
    mean: float | None = None
    """Over readers, where `value` is the lower end of its interval; these three came with 0.7.0."""
    interval: tuple[float, float] | None = None
    """The 95 % interval of that mean."""
    n_readers: int | None = None
    """Over how many it was measured."""

    @property
    def failed(self) -> bool:
        """Whether it refuses the version."""
        return not (self.passed or self.skipped)


class GateVerdict(Document):
    """How the gate judged a version."""

    passed: bool
    checks: tuple[GateCheck, ...] = ()

    @classmethod
    def of(cls, *checks: GateCheck) -> Self:
        """Passed unless one of the checks failed."""
        return cls(passed=not any(check.failed for check in checks), checks=checks)


class Numbered(Document):
    """What every release can read of a manifest."""

    schema_number: int


class Manifest(Numbered):
    """One immutable version of all models."""

    version: str
    created_at: AwareDatetime
    parent: str | None
    """The version that was current when this one was sealed."""
    split_id: str
    data_fingerprint: str
    code_revision: str
    """`<release>+<digits of the code's digest>`; the first release gave the digits alone."""
    params: dict[str, JsonValue]
    seed: int
    metrics: dict[str, JsonValue]
    gate: GateVerdict
    objects: tuple[ObjectEntry, ...]
    refresh_of: str | None = None
    """The trained version whose models it has, brought up to a later catalog; None for a trained one."""
    catalog_state: str | None = None
    """Names all that it was told of books; None before 0.4.0."""
    catalog_read_at: AwareDatetime | None = None
    """What readers did later it does not know; None of a refresh, and before 0.4.0."""

    @property
    def release(self) -> str:
        """The release of bookmesh that sealed it."""
        release, plus, _ = self.code_revision.partition("+")
        return release if plus else FIRST_RELEASE

    @property
    def trained_version(self) -> str:
        """Itself, or the trained version that it refreshes."""
        return self.refresh_of or self.version

    @property
    def trained_at(self) -> datetime:
        """When its models were sealed first: a refresh is as old as the version that it refreshes."""
        return read_created_at(self.trained_version)

    def owned_by(self, owner: str) -> list[ObjectEntry]:
        return [entry for entry in self.objects if entry.owner == owner]


def name_version(manifest: Manifest) -> str:
    """Return the name that a manifest's content asks for: its second, and 6 hex digits of its digest."""
    return _name_content(manifest.model_dump(mode="json"), manifest.created_at)


def encode_manifest(manifest: Manifest) -> bytes:
    """Encode a manifest as indented JSON, for people to read."""
    return (manifest.model_dump_json(indent=2) + "\n").encode()


def read_manifest(path: Path) -> Manifest:
    """Read one manifest; ManifestUnreadable if it is damaged or newer, FileNotFoundError if absent."""
    content = path.read_bytes()
    try:
        if (number := Numbered.model_validate_json(content).schema_number) > SCHEMA_NUMBER:
            raise ManifestUnreadable(path, f"schema {number} is newer than {SCHEMA_NUMBER}, upgrade bookmesh")
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ManifestUnreadable(path, f"not a manifest ({error.error_count()} errors)") from error
    # The stored content, not the model's: a release may have given the model fields, or taken some away.
    if not manifest.version == _name_content(json.loads(content), manifest.created_at) == path.stem:
        raise ManifestUnreadable(path, "its content does not match its name")
    return manifest


def read_created_at(version: str) -> datetime:
    """Read the UTC second of sealing out of a version's name."""
    return datetime.strptime(version.split("-")[0] + "+0000", "%Y%m%dT%H%M%SZ%z")


def _name_content(content: dict[str, JsonValue], created_at: datetime) -> str:
    unnamed = {key: value for key, value in content.items() if key != "version"}
    try:
        digest = hashlib.sha256(encode_json(unnamed)).hexdigest()
    except ValueError as error:
        raise UnsupportedValue("manifest", str(error)) from error
    return f"{created_at:%Y%m%dT%H%M%SZ}-{digest[:6]}"
