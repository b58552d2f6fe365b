"""One process at a time does what a file stands for: an advisory lock that a crash releases by itself."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

ATTEMPTS: Final = 5
RETRY_S: Final = 0.02


@contextmanager
def hold_lock(path: Path, refusal: Callable[[Path, int | None], Exception]) -> Iterator[None]:
    """Hold the lock at `path` meanwhile; raise the refusal, of path and pid, if another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _lock(file):
            raise refusal(path, _read_pid(path))
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        # The file stays: were it removed, a second process could lock this one and a third its successor.
        yield


def is_held(path: Path) -> bool:
    """Whether a process holds the lock now; the pid in the file may be another process's by now."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _lock(file: IO[str]) -> bool:
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(RETRY_S)  # it may be somebody who only asks whether it is held
        else:
            return True
    return False


def _read_pid(path: Path) -> int | None:
    text = path.read_text().strip()
    return int(text) if text.isdigit() else None
