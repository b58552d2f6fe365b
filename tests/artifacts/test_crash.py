"""Wherever a change to the store is stopped, the pointer is on a whole version."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from artifacts.store import ArtifactStore
from tests.artifacts import crash, examples

REPOSITORY = Path(__file__).parents[2]


def kill_at_every_operation(action: str, folder: Path) -> list[ArtifactStore]:
    """Run crash.py; return the store that each killed child left, checking that the last child finished."""
    command = [sys.executable, "-m", "tests.artifacts.crash", action, str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["what"] == "finished", lines[-3:]
    return [ArtifactStore(folder / str(line["operation"])) for line in lines]


def check_consistent(store: ArtifactStore) -> None:
    """Check all that a reader relies on: whole versions, and a log that ends at the pointer."""
    assert [error for version in store.versions() for error in store.verify(version)] == []
    assert store.promotions()[-1].to_version == store.current()


def test_a_publish_killed_at_any_operation_leaves_the_old_version_current_or_the_new(tmp_path: Path) -> None:
    stores = kill_at_every_operation("publish", tmp_path)

    base = ArtifactStore(tmp_path / "base")
    for store in stores:
        check_consistent(store)
        if store.current() != base.current():
            manifest = store.manifest(str(store.current()))
            assert manifest.parent == base.current()
            assert len(manifest.objects) == len(base.manifest(str(base.current())).objects)
    assert len(stores) > 100  # of about 17 objects, each: open, write, sync, rename, sync
    assert [store.current() == base.current() for store in stores] == sorted(
        (store.current() == base.current() for store in stores), reverse=True
    )


def test_a_publish_repeated_after_a_kill_succeeds(tmp_path: Path) -> None:
    stores = kill_at_every_operation("publish", tmp_path)
    model = examples.build_model(tmp_path / "again", crash.SECOND)

    for store in stores[:: max(1, len(stores) // 12)]:
        before = store.promotions()
        crash.publish(store.root, model)
        check_consistent(store)
        assert store.promotions()[: len(before)] == before
        assert store.load(store.manifest(str(store.current())), "als", examples.Model).record.params["alpha"] == 40


@pytest.mark.parametrize("action", ["rollback", "collect", "view"])
def test_a_change_killed_at_any_operation_leaves_a_whole_version_current(action: str, tmp_path: Path) -> None:
    stores = kill_at_every_operation(action, tmp_path)

    promoted = {entry.to_version for entry in ArtifactStore(tmp_path / "base").promotions()}
    for store in stores:
        assert store.current() in promoted
        check_consistent(store)


def test_a_folder_value_opens_after_a_kill_while_its_links_were_made(tmp_path: Path) -> None:
    stores = kill_at_every_operation("view", tmp_path)

    for store in stores:
        model = store.load(store.manifest(str(store.current())), "als", examples.Model).record
        assert (model.texts.path / "deep" / "b.txt").read_text() == "second of 1"


def test_what_a_killed_publish_left_is_collected_when_it_is_old(tmp_path: Path) -> None:
    killed = kill_at_every_operation("publish", tmp_path)[30]
    assert list((killed.root / "objects").iterdir()) != list((tmp_path / "base" / "objects").iterdir())

    crash.collect(killed.root, examples.build_model(tmp_path / "again"))

    needed = {entry.digest for version in killed.versions() for entry in killed.manifest(version).objects}
    assert {path.name for path in (killed.root / "objects").iterdir()} == needed
    assert list((killed.root / "tmp").iterdir()) == []
