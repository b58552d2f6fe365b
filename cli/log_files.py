"""The log files of a home, each bounded in size and number."""

import shutil
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 10 * 2**20
N_KEPT: Final = 3
"""Older files beside each log: `als.log.1` is the newest of them."""


def log_path(home: Path, name: str) -> Path:
    """Where a process logs to, or what went wrong in a command is kept."""
    return home / "logs" / f"{name}.log"


def rotate(path: Path) -> None:
    """If the log is full, keep a copy and empty it.

    Emptied, not renamed: its process has it open, for appending, and what crashes in C writes to it without
    asking. A line written between copy and cut is lost, and on a full disk the whole copy is.
    """
    if not path.exists() or path.stat().st_size < MAX_BYTES:
        return
    for age in range(N_KEPT - 1, 0, -1):
        if (older := _aged(path, age)).exists():
            older.replace(_aged(path, age + 1))
    try:
        shutil.copyfile(path, _aged(path, 1))
    except OSError:
        _aged(path, 1).unlink(missing_ok=True)
    with path.open("r+b") as log:
        log.truncate()


def keep_traceback(error: BaseException, home: Path) -> Path:
    """Append the traceback to the home's own log; where that is. Raises OSError."""
    path = log_path(home, "bookmesh")
    path.parent.mkdir(parents=True, exist_ok=True)
    rotate(path)
    with path.open("a", encoding="utf-8") as log:
        log.write(f"{datetime.now(UTC).isoformat(timespec='seconds')}\n")
        log.writelines(traceback.format_exception(error))
    return path


def _aged(path: Path, age: int) -> Path:
    return path.with_name(f"{path.name}.{age}")
