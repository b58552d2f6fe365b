"""A manifest is known by what is stored, whatever the class that reads it has gained or lost."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from artifacts import manifest as manifests
from artifacts.documents import encode_json
from artifacts.errors import ManifestUnreadable
from artifacts.manifest import Manifest, ObjectEntry, read_manifest
from artifacts.store import ArtifactStore
from tests.artifacts.examples import seal_point


class LaterEntry(ObjectEntry):
    """Of a release that also tells how a value is compressed."""

    compression: str = "none"


class LaterManifest(Manifest):
    """Of a release that has a new field itself, and one in each of its objects."""

    mood: str = "calm"
    objects: tuple[LaterEntry, ...]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A stored manifest."""
    store = ArtifactStore(tmp_path)
    return store.manifest_path(seal_point(store, 1.0).version)


def store_as(path: Path, content: dict[str, Any]) -> Path:
    """The content as the manifest of a version that is named after it."""
    version = content.pop("version")[:-6] + hashlib.sha256(encode_json(content)).hexdigest()[:6]
    changed = path.with_stem(version)
    changed.write_text(json.dumps({**content, "version": version}))
    return changed


def test_a_manifest_is_read_although_its_class_has_gained_fields(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_manifest(path)
    monkeypatch.setattr(manifests, "Manifest", LaterManifest)

    read = read_manifest(path)

    assert isinstance(read, LaterManifest)
    assert (read.version, read.mood, read.objects[0].compression) == (before.version, "calm", "none")


def test_a_manifest_is_read_past_fields_that_its_class_has_lost(path: Path) -> None:
    changed = store_as(path, {**json.loads(path.read_bytes()), "mood": "calm"})

    read = read_manifest(changed)

    assert read == read_manifest(path).model_copy(update={"version": changed.stem})


def test_a_changed_value_is_refused_even_where_the_class_has_no_such_field(path: Path) -> None:
    changed = store_as(path, {**json.loads(path.read_bytes()), "mood": "calm"})
    changed.write_text(changed.read_text().replace("calm", "cold"))

    with pytest.raises(ManifestUnreadable, match="does not match its name"):
        read_manifest(changed)


@pytest.mark.parametrize(
    ("code_revision", "release"), [("0123456789ab", "0.1.0"), ("1.2.0+0123456789ab", "1.2.0")]
)
def test_a_manifest_tells_which_release_sealed_it(path: Path, code_revision: str, release: str) -> None:
    manifest = read_manifest(path).model_copy(update={"code_revision": code_revision})

    assert manifest.release == release
