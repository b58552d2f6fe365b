"""`bookmesh train`: what stops it, what it repeats, and that the running version survives all of it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.stepping.stepper import STEPS
from tests.homes import PATIENCE_S, ROOT, Home
from tests.meshes import wait_until

OTHER_ALS = {"BOOKMESH_TRAIN__EVIDENCE__ALS__ALPHA": "15", "BOOKMESH_TRAIN__GATE__MAX_LOSS": "1"}
"""A parameter of one step: that step and what follows run again, all before it is kept; and so few readers
are measured that a slightly worse version must be let through."""


@contextmanager
def training(home: Home, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A training that has taken the lock and is still running; killed at the end."""
    with (home.path / "train.out").open("wb") as log:
        process = subprocess.Popen(
            home.command("train"),
            cwd=ROOT,
            env={**home.environment(), **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    lock = home.path / "train.lock"
    try:
        wait_until(lambda: lock.exists() and lock.read_text().strip() == str(process.pid))
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def rows(table: str) -> dict[str, list[str]]:
    """What the table of steps says of each, on each set of data."""
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines() if "│" in line]
    found: dict[str, list[str]] = {}
    for row in cells:
        if len(row) == 3 and row[0].split()[-1] in STEPS:
            found.setdefault(row[0].split()[-1], []).append(row[2])
    return found


def test_training_without_a_catalog_says_how_to_fill_one(empty_home: Home) -> None:
    message = empty_home.fail("train")

    assert "bookmesh import demo" in message


def test_training_on_too_few_ratings_says_how_many_are_needed(empty_home: Home) -> None:
    empty_home.succeed("import", "demo", "--readers", "15", "--ratings", "200")

    message = empty_home.fail("train")

    assert "training needs 20" in message
    assert empty_home.store.versions() == []


def test_a_made_up_catalog_trains_and_passes_the_gate(empty_home: Home) -> None:
    empty_home.succeed("import", "demo", "--books", "1000", "--readers", "1500", "--ratings", "9000")

    empty_home.succeed("train")

    assert empty_home.store.current()


def test_a_second_training_names_the_first_and_a_killed_one_blocks_nobody(copied_home: Home) -> None:
    before = copied_home.store.current()

    with training(copied_home, **OTHER_ALS) as first:
        wait_until(lambda: '"step":"als"' in (copied_home.path / "train.out").read_text())
        first.send_signal(signal.SIGSTOP)  # so that it surely still runs while the second one starts
        message = copied_home.fail("train")
        first.kill()
    after_the_kill = copied_home.store.current()
    table = copied_home.succeed("train", **OTHER_ALS)

    assert f"process {first.pid} is training or refreshing already" in message
    assert after_the_kill == before
    assert "kept" in rows(table)["als"]
    assert copied_home.store.current() != before


def test_from_a_step_that_step_and_all_after_it_run_again(copied_home: Home) -> None:
    again = rows(copied_home.succeed("train", "--from", "index"))

    assert {*again["aggregate"], *again["subjects"], *again["als"]} == {"kept"}
    assert "kept" not in again["index"] + again["gate"]


def test_an_unknown_step_is_answered_with_the_names_of_all(copied_home: Home) -> None:
    message = copied_home.fail("train", "--from", "polish", code=2)

    assert all(step in message for step in STEPS)


def test_if_none_leaves_the_current_version_alone(copied_home: Home) -> None:
    before = copied_home.store.versions()

    done = copied_home.run("train", "--if-none")

    assert done.returncode == 0
    assert "nothing to train" in done.stderr
    assert copied_home.store.versions() == before


def test_a_version_that_the_gate_refuses_is_kept_for_inspection_and_serves_nobody(copied_home: Home) -> None:
    before = copied_home.store.current()

    done = copied_home.run("train", BOOKMESH_TRAIN__GATE__FLOOR_MARGIN="50")

    [refused] = set(copied_home.store.versions()) - {before}
    assert done.returncode == 3
    assert "FAIL" in done.stdout
    assert f"bookmesh versions show {refused}" in " ".join(done.stdout.split())
    assert copied_home.store.current() == before
    assert "did not pass the gate" in copied_home.fail("versions", "promote", refused)
    copied_home.succeed("versions", "promote", refused, "--force")
    assert copied_home.store.current() == refused


def test_a_wrong_parameter_is_named(copied_home: Home) -> None:
    message = copied_home.fail("train", code=2, BOOKMESH_TRAIN__EVIDENCE__ALS__N_FACTORS="0")

    assert "BOOKMESH_TRAIN__EVIDENCE__ALS__N_FACTORS" in message


@contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[None]:
    """A file system of this size on the folder; only root can have one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        message = "A FULL DISK IS NOT TESTED: mounting a small tmpfs takes root"
        if os.environ.get("CI") and os.geteuid() == 0:
            pytest.fail(message)
        pytest.skip(message)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_full_while_publishing_leaves_the_running_version_and_no_half_one(
    trained_home: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    used = sum(path.stat().st_size for path in (trained_home.path / "artifacts").rglob("*") if path.is_file())
    with small_disk(home.path / "artifacts", size_bytes=2 * used):
        fill(trained_home, home)
        before = home.store.current()
        (home.path / "artifacts" / "ballast").write_bytes(bytes(free_bytes(home) - 65_536))
        n_free = free_bytes(home)

        message = home.fail("train", **OTHER_ALS)

        assert "nothing was published; free" in message
        assert home.store.versions() == [before]
        assert home.store.current() == before
        assert home.store.verify(str(before)) == []
        assert free_bytes(home) >= n_free


def fill(trained: Home, home: Home) -> None:
    """The trained home's data, in a folder that has a file system of its own below."""
    subprocess.run(["cp", "-r", f"{trained.path}/.", str(home.path)], check=True)


def free_bytes(home: Home) -> int:
    disk = os.statvfs(home.path / "artifacts")
    return disk.f_bavail * disk.f_frsize
