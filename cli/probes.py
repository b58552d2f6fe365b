"""What a process of the mesh reports about itself, and what memory the machine counts for it."""

import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import httpx
import psutil

from cli.process_table import ProcessRow
from contracts.shell import INFO_PATH, LIVE_PATH, READY_PATH, SERVER_NAMES
from foundation.mesh_token import build_headers

TIMEOUT_S: Final = 2.0
LIVE_TIMEOUT_S = 10.0
LIVE_INTERVAL_S = 5.0
MAX_SILENT: Final = 3
"""Half a minute without an answer, then: on a busy machine an answer may take seconds."""

State = Literal["ready", "loading", "down"]


@dataclass(frozen=True)
class ProcessStatus:
    """One process at one moment."""

    state: State
    pid: int | None
    version: str | None = None
    """Of the worker, which has none, what it does."""
    n_held: int = 0
    """Versions that a server can answer from; 0 for the gateway."""
    pss_bytes: int | None = None
    refusal: str | None = None
    """Why a server does not answer from the version that the pointer names."""


def probe(row: ProcessRow, token: str | None = None) -> ProcessStatus:
    """What one process of the table reports now."""
    state: State
    headers = build_headers(token if row.name in SERVER_NAMES else None)
    try:
        with httpx.Client(base_url=row.url, headers=headers, timeout=TIMEOUT_S) as client:
            state = "ready" if client.get(READY_PATH).is_success else "loading"
            info: dict[str, Any] = client.get("/v1/version" if row.name == "gateway" else INFO_PATH).json()
    except (httpx.HTTPError, ValueError):
        return ProcessStatus("down", row.pid or None)  # by now the pid may be another process's
    pid = info.get("pid", row.pid)
    return ProcessStatus(
        state,
        pid,
        version=info.get("version") or info.get("doing"),
        n_held=len(info.get("held", ())),
        pss_bytes=_pss_bytes(pid),
        refusal=info.get("last_reload_error"),
    )


class Watch:
    """Looks from time to time, without keeping anybody waiting, whether a process hangs."""

    def __init__(self, url: str, threads: Executor) -> None:
        self._url = url
        self._threads = threads
        self._look: Future[bool] | None = None
        self._next_look_s = 0.0
        self._n_silent = 0

    def is_hung(self) -> bool:
        """Whether it has left several looks in a row without any answer."""
        if self._look is None and time.monotonic() >= self._next_look_s:
            self._look = self._threads.submit(_is_silent, self._url)
        elif self._look is not None and self._look.done():
            self._n_silent = self._n_silent + 1 if self._look.result() else 0
            self._look, self._next_look_s = None, time.monotonic() + LIVE_INTERVAL_S
        return self._n_silent >= MAX_SILENT


def is_ready(client: httpx.Client, url: str) -> bool:
    """Whether the process at this address is ready to serve."""
    try:
        return client.get(url + READY_PATH).is_success
    except httpx.TransportError:
        return False


def _is_silent(url: str) -> bool:
    """Whether a connection is accepted (the kernel does that) and nothing comes.

    A refusal is an answer, if a short one: the process starts, stops, or has too much to do.
    """
    connection = HTTPConnection(urlsplit(url).netloc, timeout=LIVE_TIMEOUT_S)
    try:
        connection.request("GET", LIVE_PATH)
        connection.getresponse()
    except TimeoutError:
        return True
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return False


def _pss_bytes(pid: int | None) -> int | None:
    """Proportional set size: shared pages are divided among the processes that share them."""
    if not pid:
        return None
    try:
        memory = psutil.Process(pid).memory_full_info()
    except psutil.Error:
        return None
    # macOS has no PSS; USS is the nearest that it has.
    return int(getattr(memory, "pss", memory.uss))
