"""Wherever a change to the store is stopped, the pointer is on a whole version."""

import copy
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.store import ArtifactStore
from tests.artifacts import crash, examples
from tests.artifacts.operations import intercepted
from tests.artifacts.power_cut import Disk

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


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Path]:
    """A folder where syncing is quick: what was written outlives a killed process either way."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def killed_publishes(in_memory: Path) -> list[ArtifactStore]:
    """What each killed publish left; a test that changes one copies it first."""
    return kill_at_every_operation("publish", in_memory / "publish")


def copy_of(store: ArtifactStore, target: Path) -> ArtifactStore:
    shutil.copytree(store.root, target, symlinks=True)
    return ArtifactStore(target)


def test_a_publish_killed_at_any_operation_leaves_the_old_version_current_or_the_new(
    killed_publishes: list[ArtifactStore],
) -> None:
    stores, base = killed_publishes, ArtifactStore(killed_publishes[0].root.parent / "base")

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


def test_a_publish_repeated_after_a_kill_succeeds(
    killed_publishes: list[ArtifactStore], tmp_path: Path
) -> None:
    model = examples.build_model(tmp_path / "again", crash.SECOND)

    for killed in killed_publishes[::12]:
        store = copy_of(killed, tmp_path / killed.root.name)
        before = store.promotions()
        crash.publish(store.root, model)
        check_consistent(store)
        assert store.promotions()[: len(before)] == before
        assert (
            store.load(store.manifest(str(store.current())), "als", examples.Model).record.params["alpha"]
            == 40
        )


@pytest.mark.parametrize("action", ["rollback", "collect", "view"])
def test_a_change_killed_at_any_operation_leaves_a_whole_version_current(
    action: str, in_memory: Path
) -> None:
    stores = kill_at_every_operation(action, in_memory / action)

    promoted = {entry.to_version for entry in ArtifactStore(in_memory / action / "base").promotions()}
    for store in stores:
        assert store.current() in promoted
        check_consistent(store)


def test_a_folder_value_opens_after_a_kill_while_its_links_were_made(in_memory: Path) -> None:
    stores = kill_at_every_operation("view", in_memory / "opened")

    for store in stores:
        model = store.load(store.manifest(str(store.current())), "als", examples.Model).record
        assert (model.texts.path / "deep" / "b.txt").read_text() == "second of 1"


def test_what_a_killed_publish_left_is_collected_when_it_is_old(
    killed_publishes: list[ArtifactStore], tmp_path: Path
) -> None:
    killed = copy_of(killed_publishes[30], tmp_path / "killed")
    assert list((killed.root / "tmp").iterdir()) != []

    crash.collect(killed.root, examples.build_model(tmp_path / "again"))

    needed = {entry.digest for version in killed.versions() for entry in killed.manifest(version).objects}
    assert {path.name for path in (killed.root / "objects").iterdir()} == needed
    assert list((killed.root / "tmp").iterdir()) == []


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> list[Disk]:
    """The disk before a publish, and after each of its operations."""
    folder = tmp_path_factory.mktemp("power")
    crash.build_base(folder / "store", examples.build_model(folder / "texts-1", crash.FIRST))
    model = examples.build_model(folder / "texts-2", crash.SECOND)
    disks = [Disk.of(folder / "store")]

    def record(name: str, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = original(*args, **kwargs)
        disks.append(copy.deepcopy(disks[-1]))
        disks[-1].apply(name, args, result)
        return result

    with intercepted(record):
        crash.publish(folder / "store", model)
    return disks


@pytest.mark.parametrize("reached", [0, -1], ids=["nothing unsynced", "everything"])
def test_a_power_cut_after_any_operation_leaves_a_whole_version_current(
    disks: list[Disk], reached: int, tmp_path: Path
) -> None:
    for n, disk in enumerate(disks):
        disk.write_remains(tmp_path / str(n), lambda n_choices: reached % n_choices)
        check_consistent(ArtifactStore(tmp_path / str(n)))


def test_a_power_cut_that_lets_any_part_through_leaves_a_whole_version_current(
    disks: list[Disk], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, number = tmp_path_factory.mktemp("remains"), count()

    @settings(max_examples=60)
    @given(
        n=st.integers(0, len(disks) - 1) | st.integers(len(disks) - 5, len(disks) - 1),
        random=st.randoms(use_true_random=False),
    )
    def check(n: int, random: Any) -> None:
        root = folder / str(next(number))
        disks[n].write_remains(root, random.randrange)
        check_consistent(ArtifactStore(root))

    check()


def test_a_publish_that_returned_survives_a_power_cut(disks: list[Disk], tmp_path: Path) -> None:
    disks[-1].write_remains(tmp_path / "store", lambda n_choices: 0)

    current = str(ArtifactStore(tmp_path / "store").current())

    assert ArtifactStore(disks[-1].root).current() == current
    assert ArtifactStore(tmp_path / "store").manifest(current).parent is not None
