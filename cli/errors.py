"""What keeps a mesh from being started, each with what to do about it.

MeshNotStarted
├── AlreadyUp       the home has a running mesh
└── ListenRefused   a process could not listen where it should
"""

import errno
from pathlib import Path

from foundation.settings import find_variable


class MeshNotStarted(Exception):
    """Base of both."""


class AlreadyUp(MeshNotStarted):
    """The home has a running mesh."""

    def __init__(self, lock: Path, pid: int | None) -> None:
        super().__init__(
            f"process {pid or '?'} runs a mesh on this home already (lock {lock}); "
            "`bookmesh status` shows it. Stop it first, or give this one a BOOKMESH_HOME of its own"
        )
        self.lock, self.pid = lock, pid


class ListenRefused(MeshNotStarted):
    """A process could not listen where it should, mostly because another one does."""

    def __init__(self, name: str, host: str, port: int, error: OSError) -> None:
        group, *path = ("gateway", "port") if name == "gateway" else ("servers", "ports", name)
        host_variable = find_variable(group, "host")
        port_variable = find_variable(group, *path)
        if error.errno == errno.EADDRINUSE:
            message = (
                f"port {port} for {name} is in use; stop what runs there (`bookmesh status` tells whether it "
                f"is a mesh of ours) or set {port_variable}"
            )
        else:
            message = (
                f"{name} cannot listen on {host}, port {port} ({error.strerror}); "
                f"set {host_variable} or {port_variable}"
            )
        super().__init__(message)
        self.name, self.port = name, port
