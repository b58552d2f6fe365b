"""Reads what a version is made of while nothing else wants the processor, so that no request waits."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from artifacts.files import read_digest

LAST: Final = 19
"""The niceness of who gets what is left."""


class BackgroundDigests:
    """A thread that gives way to all others: without privileges, it can never be made to come first again.

    Only what holds no lock of the interpreter may run there: whoever waits for that lock would give way too.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "digests", _give_way)

    def read(self, path: Path) -> str:
        """The sha256 of a file's content, in hex."""
        return self._thread.submit(read_digest, path).result()


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere it is all threads that have a niceness together
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LAST)
