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


class CpuClocks:
    """What processes use from now on; what ends meanwhile does not count."""

    def __init__(self, pids: Pids) -> None:
        self._pids = pids
        self._before_s = self._read()

    def used_s(self) -> dict[str, float]:
        """Seconds of CPU of each."""
        return {
            name: sum(seconds - self._before_s[name].get(pid, 0.0) for pid, seconds in family.items())
            for name, family in self._read().items()
        }

    def _read(self) -> dict[str, dict[int, float]]:
        return {name: _read_family(pid, _read_clock) for name, pid in self._pids.items()}


def read_pss(pids: Pids) -> dict[str, float]:
    """MiB of each; what several processes share is divided among them."""
    return {name: sum(_read_family(pid, _read_pss).values()) / MIB for name, pid in pids.items()}


def _read_family(pid: int, read: Callable[[psutil.Process], float]) -> dict[int, float]:
    """A figure of a process, and of each that it has forked."""
    process, figures = psutil.Process(pid), {}
    for each in (process, *process.children(recursive=True)):
        with suppress(OSError, psutil.NoSuchProcess):  # it has just ended
            figures[each.pid] = read(each)
    return figures


def _read_clock(process: psutil.Process) -> float:
    return read_cpu_s([process.pid])


def _read_pss(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss)


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    end_s = time.monotonic() + START_S
    while not ready():
        if process.poll() is not None or time.monotonic() > end_s:
            raise RuntimeError(f"{process.args} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
