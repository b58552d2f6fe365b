"""Forks a process for each job: its memory goes when it ends, and its crash is not ours."""

import gc
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Final

from catalog.jobs import StoredJob
from worker.errors import ForkerGone

TRY_AGAIN_CODE: Final = 75
"""EX_TEMPFAIL of sysexits.h: it could not be done now."""
KILL_AFTER_S: Final = 3.0
"""What a process that is told to end has for it."""
STOP: Final = None
FORK: Final = multiprocessing.get_context("fork")

Do = Callable[[StoredJob], tuple[str, int]]
"""Does a job; what came of it in a sentence, and the code to exit with."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job's process ended."""

    code: int
    """Its exit code; the number of the signal that ended it, negative."""
    sentence: str
    """What it said at its end; else what is known."""


class Forker:
    """A process that stays as we are now, with all that is imported, so that the job it forks begins at once.

    However we end, it does too, and its job with it.
    """

    def __init__(self, do: Do) -> None:
        """Fork it. A fork has only one thread: call this before another one is started."""
        self._connection, theirs = FORK.Pipe()
        gc.collect()
        gc.freeze()  # looking for garbage again would copy what all share
        self._process = FORK.Process(target=_serve, args=(do, theirs, self._connection))
        self._process.start()
        theirs.close()

    def check(self) -> None:
        """Raise ForkerGone if the process is."""
        if not self._process.is_alive():
            raise ForkerGone

    def begin(self, job: StoredJob) -> None:
        """Begin a job, once the one before has ended. Raises ForkerGone, as all of these do."""
        self._send(job)

    def wait(self, seconds: float = 0.0) -> Ending | None:
        """How the job ended; None if it still runs after so many seconds."""
        return self._receive() if self._connection.poll(seconds) else None

    def stop(self) -> Ending:
        """Make the job end."""
        self._send(STOP)
        return self._receive()

    def close(self) -> None:
        """End it."""
        self._connection.close()
        self._process.join()

    def _send(self, order: StoredJob | None) -> None:
        try:
            self._connection.send(order)
        except OSError as error:
            raise ForkerGone from error

    def _receive(self) -> Ending:
        try:
            return Ending(*json.loads(self._connection.recv_bytes()))
        except (EOFError, OSError) as error:
            raise ForkerGone from error


def _serve(do: Do, connection: Connection, not_ours: Connection) -> None:
    not_ours.close()
    os.setsid()  # Ctrl-C on a terminal is for our parent, who then tells us
    with suppress(EOFError, BrokenPipeError):  # our parent is gone
        while True:
            order = connection.recv()
            if order is not STOP:  # which may come when the job has just ended
                connection.send_bytes(json.dumps(_run(do, order, connection)).encode())


def _run(do: Do, job: StoredJob, orders: Connection) -> tuple[int, str]:
    """The job's exit code and sentence; any order ends it, and stays to be read."""
    answers, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_do, args=(do, job, theirs, orders))
    with answers:
        try:
            process.start()
        except OSError as error:  # no memory, say
            return 1, f"its process cannot be started: {error}"
        finally:
            theirs.close()
        sentence = _receive(answers) if answers in wait([answers, orders]) else ""
    if process.sentinel not in wait([process.sentinel, orders]):
        process.terminate()
        process.join(KILL_AFTER_S)
        process.kill()
    process.join()
    assert process.exitcode is not None
    return process.exitcode, sentence or _describe(process.exitcode)


def _receive(answers: Connection) -> str:
    with suppress(EOFError):  # it ended without a word
        return answers.recv_bytes().decode()
    return ""


def _do(do: Do, job: StoredJob, answers: Connection, not_ours: Connection) -> None:
    not_ours.close()
    Thread(target=_end_with_parent, daemon=True).start()
    sentence, code = do(job)
    answers.send_bytes(sentence.encode())
    sys.exit(code)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(KILL_AFTER_S)
    os._exit(1)


def _describe(code: int) -> str:
    if code >= 0:
        return f"its process ended with {code} and no word; the log of the worker may tell more"
    killed = f"its process was ended by {signal.Signals(-code).name}"
    return f"{killed}, as a system does that runs out of memory" if code == -signal.SIGKILL else killed
