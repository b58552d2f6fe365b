"""`bookmesh backup` and `bookmesh restore`: a home that is lost is served again from another folder."""

from pathlib import Path

from foundation.lock import hold_lock
from tests.homes import Home


def test_a_home_that_is_lost_comes_back_in_another_folder(
    trained_home: Home, empty_home: Home, tmp_path: Path
) -> None:
    written = trained_home.succeed("backup", str(tmp_path / "all.tar"))

    checked = empty_home.succeed("restore", str(tmp_path / "all.tar"), "--dry-run")
    was_there = empty_home.path.exists()
    restored = empty_home.succeed("restore", str(tmp_path / "all.tar"))

    current = str(trained_home.store.current())
    assert all(current in each for each in (written, checked, restored))
    assert not was_there
    assert "→" in empty_home.succeed("versions", "list")
    assert empty_home.succeed("data", "report", "--json") == trained_home.succeed("data", "report", "--json")


def test_what_is_there_is_not_replaced_unasked(copied_home: Home, tmp_path: Path) -> None:
    copied_home.succeed("backup", str(tmp_path / "all.tar"))

    message = copied_home.fail("restore", str(tmp_path / "all.tar"))

    assert "nothing was restored" in message
    assert "--replace" in message
    copied_home.succeed("restore", str(tmp_path / "all.tar"), "--replace")


def test_nothing_is_replaced_under_a_running_mesh(copied_home: Home, tmp_path: Path) -> None:
    with hold_lock(copied_home.path / "run" / "mesh.lock", lambda *_: AssertionError()):
        message = copied_home.fail("restore", str(tmp_path / "all.tar"), "--replace")

    assert "runs a mesh on this home" in message


def test_a_file_that_is_not_there_is_named(empty_home: Home, tmp_path: Path) -> None:
    assert "all.tar: no backup (No such file" in empty_home.fail("restore", str(tmp_path / "all.tar"))
