"""`bookmesh versions`: list, show, promote, roll back and collect."""

import json
from datetime import timedelta

import pytest

from artifacts.store import ArtifactStore, utc_now
from tests.homes import Home
from tests.loopback.twin import seal_twin


@pytest.fixture
def twin(copied_home: Home) -> str:
    """A second version of the copied home, not promoted."""
    return seal_twin(copied_home.store).version


def marked(table: str) -> list[str]:
    """The rows of the list that the arrow marks."""
    return [line for line in table.splitlines() if "→" in line]


def test_the_list_shows_every_version_and_marks_the_current_one(copied_home: Home, twin: str) -> None:
    current = str(copied_home.store.current())

    table = copied_home.succeed("versions", "list")

    [row] = marked(table)
    assert current in row
    assert "passed" in row
    assert twin in table


def test_the_list_names_a_version_that_cannot_be_read_besides_the_others(
    copied_home: Home, twin: str
) -> None:
    path = copied_home.store.manifest_path(twin)
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"schema_number": 1', '"schema_number": 2'))

    table = copied_home.succeed("versions", "list")

    assert str(copied_home.store.current()) in marked(table)[0]
    assert f"{path}: schema 2 is newer than 1, upgrade bookmesh" in table


def test_a_version_shows_where_it_comes_from_what_the_gate_said_and_its_objects(copied_home: Home) -> None:
    manifest = copied_home.store.manifest(str(copied_home.store.current()))

    shown = copied_home.succeed("versions", "show", manifest.version)

    facts, _ = json.JSONDecoder().raw_decode(shown)
    assert facts["version"] == manifest.version
    assert facts["gate"]["passed"] is True
    assert all(entry.name in shown and entry.digest[:12] in shown for entry in manifest.objects)


def test_a_promotion_moves_the_pointer_and_rollbacks_walk_back(copied_home: Home, twin: str) -> None:
    first = str(copied_home.store.current())

    copied_home.succeed("versions", "promote", twin, "--why", "to see it")
    after_promotion = copied_home.store.current()
    copied_home.succeed("versions", "rollback")
    message = copied_home.fail("versions", "rollback")

    assert after_promotion == twin
    assert copied_home.store.current() == first
    assert "no version was promoted before" in message
    assert [move.action for move in copied_home.store.promotions()] == ["promote", "promote", "rollback"]
    assert copied_home.store.promotions()[1].why == "to see it"


def test_an_unknown_version_is_answered_with_those_there_are(copied_home: Home) -> None:
    for arguments in (("show", "nope"), ("promote", "20200101T000000Z-abcdef")):
        assert str(copied_home.store.current()) in copied_home.fail("versions", *arguments)


def test_a_damaged_version_is_not_promoted(copied_home: Home, twin: str) -> None:
    store = copied_home.store
    current = store.current()
    [entry] = [each for each in store.manifest(twin).objects if each.name == "metadata/cards"]
    path = store.objects.path(entry.digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-10])

    message = copied_home.fail("versions", "promote", twin)

    assert "metadata/cards is damaged" in message
    assert store.current() == current


def test_gc_removes_what_was_never_promoted_and_spares_the_rest(copied_home: Home, twin: str) -> None:
    long_ago = ArtifactStore(copied_home.store.root, now=lambda: utc_now() - timedelta(days=2))
    forgotten = seal_twin(long_ago).version

    output = copied_home.succeed("versions", "gc", "--keep", "1")

    kept = {str(copied_home.store.current()), twin}
    assert f"removed: {forgotten}" in output
    assert all(version in output for version in kept)
    assert set(copied_home.store.versions()) == kept
    assert [copied_home.store.verify(version) for version in kept] == [[], []]


def test_an_empty_store_lists_nothing_and_has_nothing_to_roll_back_to(empty_home: Home) -> None:
    assert marked(empty_home.succeed("versions", "list")) == []
    assert "no version was promoted" in empty_home.fail("versions", "rollback")
