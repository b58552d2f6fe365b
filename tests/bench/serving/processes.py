"""Processes that a run starts and ends, and what they use."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil

from tests.bench.side_by_side import read_cpu_s

MIB: Final = 2**20
START_S: Final = 300.0
STOP_S: Final = 20.0
ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

Pids = Mapping[str, int]
"""Of the processes that are looked at, by their names; what they fork counts with them."""


@contextmanager
def running(command: list[str], log: Path, *, ready: Callable[[], bool], **environment: str) -> Iterator[int]:
    """Pid of a program that is ready; it ends with the block, and all that it has started too."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**outer_environment(), **ONE_THREAD, **environment},
            start_new_session=True,
        )
    try:
        _wait(process, ready, log)
        yield process.pid
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def outer_environment() -> dict[str, str]:
    """What this process was started with, without settings of bookmesh."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BOOKMESH_")}


def answers(url: str, body: bytes | None = None) -> bool:
    """Whether a GET is answered 200; with a body, a POST of it."""
    with (
        suppress(OSError, URLError),
        urlopen(Request(url, body, {"Content-Type": "application/json"})) as answer,
    ):
        return bool(answer.status == 200)
    return False


def read_cpu(pids: Pids) -> dict[str, float]:
    """Seconds of CPU that each has used so far."""
    return {name: read_cpu_s([each.pid for each in _family(pid)]) for name, pid in pids.items()}


def read_pss(pids: Pids) -> dict[str, float]:
    """MiB of each; what several processes share is divided among them."""
    return {
        name: sum(each.memory_full_info().pss for each in _family(pid)) / MIB for name, pid in pids.items()
    }


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    end_s = time.monotonic() + START_S
    while not ready():
        if process.poll() is not None or time.monotonic() > end_s:
            raise RuntimeError(f"{process.args} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
