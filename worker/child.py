"""Runs one job in a process of its own: its memory goes when it ends, and its crash is not ours."""

import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

TRY_AGAIN_CODE: Final = 75
"""EX_TEMPFAIL of sysexits.h: it could not be done now."""
KILL_AFTER_S: Final = 3.0
"""What a process that is told to end has for it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job's process ended."""

    code: int
    """Its exit code; the number of the signal that ended it, negative."""
    sentence: str
    """The last line that it wrote to stdout; else what is known."""


class Child:
    """The process of one job; if we end, however that comes about, its stdin closes, and it ends too."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it. Raises OSError."""
        # Not a pipe: that may fill up, and then it would wait for us.
        self._answer = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as it runs
        self._ending: Ending | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a command of our own
                command, stdin=subprocess.PIPE, stdout=self._answer, start_new_session=True
            )
        except OSError:
            self._answer.close()
            raise

    def poll(self) -> Ending | None:
        """How it ended; None while it runs."""
        if self._ending is None and (code := self._process.poll()) is not None:
            lines = self._read_answer()
            self._ending = Ending(code, lines[-1] if lines and code >= 0 else _describe(code))
        return self._ending

    def wait(self, seconds: float) -> Ending | None:
        """The same, after so many seconds at most."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.poll()

    def stop(self) -> None:
        """Make it end."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_AFTER_S)
        self._process.kill()
        self._process.wait()
        self.poll()

    def _read_answer(self) -> list[str]:
        assert self._process.stdin is not None
        with self._answer as answer, self._process.stdin:
            answer.seek(0)
            text = answer.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()]


def _describe(code: int) -> str:
    if code >= 0:
        return f"its process ended with {code} and no word; the log of the worker may tell more"
    killed = f"its process was ended by {signal.Signals(-code).name}"
    return f"{killed}, as a system does that runs out of memory" if code == -signal.SIGKILL else killed
