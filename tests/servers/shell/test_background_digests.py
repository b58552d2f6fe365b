"""Digests are read by a thread that gives way, and are what they are."""

import os
import threading
from pathlib import Path

import pytest

from artifacts.files import read_digest
from servers.shell import background_digests
from servers.shell.background_digests import LAST, BackgroundDigests


def test_digests_are_read_by_a_thread_that_gives_way_to_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "object"
    file.write_bytes(b"what a version is made of")
    seen = []

    def read_and_tell(path: Path) -> str:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return read_digest(path)

    monkeypatch.setattr(background_digests, "read_digest", read_and_tell)

    digests, own = BackgroundDigests(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert {digests.read(file), digests.read(file)} == {read_digest(file)}
    assert seen == [LAST, LAST]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


def test_a_file_that_is_gone_is_told_of_as_ever(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        BackgroundDigests().read(tmp_path / "gone")
