import os
from pathlib import Path

import pytest

from pipeline.errors import AlreadyTraining
from pipeline.lock import hold_lock


def test_the_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "home" / "train.lock"

    with hold_lock(path), pytest.raises(AlreadyTraining) as refusal, hold_lock(path):
        pytest.fail("held twice")

    assert refusal.value.pid == os.getpid()


def test_a_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "train.lock"
    with pytest.raises(RuntimeError), hold_lock(path):
        raise RuntimeError

    with hold_lock(path):
        assert path.read_text().strip() == str(os.getpid())
