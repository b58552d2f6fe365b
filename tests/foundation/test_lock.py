import os
from pathlib import Path

import pytest

from foundation.lock import hold_lock, is_held
from pipeline.errors import AlreadyTraining


def test_the_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "home" / "train.lock"

    with (
        hold_lock(path, AlreadyTraining),
        pytest.raises(AlreadyTraining) as refusal,
        hold_lock(path, AlreadyTraining),
    ):
        pytest.fail("held twice")

    assert refusal.value.pid == os.getpid()


def test_a_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "train.lock"
    with pytest.raises(RuntimeError), hold_lock(path, AlreadyTraining):
        raise RuntimeError

    with hold_lock(path, AlreadyTraining):
        assert path.read_text().strip() == str(os.getpid())


def test_it_is_told_whether_a_lock_is_held_whatever_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "mesh.lock"
    before = is_held(path)

    with hold_lock(path, AlreadyTraining):
        meanwhile = is_held(path)

    assert (before, meanwhile, is_held(path)) == (False, True, False)
    assert path.read_text().strip() == str(os.getpid())
