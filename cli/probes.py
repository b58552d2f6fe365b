"""What a process of the mesh reports about itself, and what memory the machine counts for it."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import httpx
import psutil

from cli.supervisor import ProcessRow
from contracts.shell import INFO_PATH, READY_PATH

TIMEOUT_S: Final = 2.0

State = Literal["ready", "loading", "down"]


@dataclass(frozen=True)
class ProcessStatus:
    """One process at one moment."""

    state: State
    pid: int | None
    version: str | None = None
    n_held: int = 0
    """Versions that a server can answer from; 0 for the gateway."""
    pss_bytes: int | None = None


def probe(row: ProcessRow) -> ProcessStatus:
    """What one process of the table reports now."""
    state: State
    try:
        with httpx.Client(base_url=row.url, timeout=TIMEOUT_S) as client:
            state = "ready" if client.get(READY_PATH).is_success else "loading"
            info: dict[str, Any] = client.get("/v1/version" if row.name == "gateway" else INFO_PATH).json()
    except (httpx.HTTPError, ValueError):
        pid = row.pid or None
        return ProcessStatus("down", pid, pss_bytes=_pss_bytes(pid))
    pid = info.get("pid", row.pid)
    return ProcessStatus(
        state, pid, version=info.get("version"), n_held=len(info.get("held", ())), pss_bytes=_pss_bytes(pid)
    )


def is_ready(client: httpx.Client, url: str) -> bool:
    """Whether the process at this address is ready to serve."""
    try:
        return client.get(url + READY_PATH).is_success
    except httpx.TransportError:
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
