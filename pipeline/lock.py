"""One training run at a time in a home: an advisory file lock that a crash releases by itself."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import AlreadyTraining


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock at `path` meanwhile; AlreadyTraining, with its pid, if another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise AlreadyTraining(path, _read_pid(path)) from exc
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        # The file stays: were it removed, a second process could lock this one and a third its successor.
        yield


def _read_pid(path: Path) -> int | None:
    text = path.read_text().strip()
    return int(text) if text.isdigit() else None
