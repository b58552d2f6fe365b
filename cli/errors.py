"""What keeps a mesh, a training or a restore from being started, each with what to do about it.

CannotStart
├── AlreadyUp               the home has a running mesh
├── ListenRefused           a process could not listen where it should
├── MeshRuns                what is to be replaced is in use
└── TrainingNotInstalled    this installation only serves
"""

import errno
from collections.abc import Sequence
from pathlib import Path

from foundation.settings import find_variable


class CannotStart(Exception):
    """Base of all."""


class AlreadyUp(CannotStart):
    """The home has a running mesh."""

    def __init__(self, lock: Path, pid: int | None) -> None:
        super().__init__(
            f"process {pid or '?'} runs a mesh on this home already (lock {lock}); "
            "`bookmesh status` shows it. Stop it first, or give this one a BOOKMESH_HOME of its own"
        )
        self.lock, self.pid = lock, pid


class ListenRefused(CannotStart):
    """A process could not listen where it should, mostly because another one does."""

    def __init__(self, name: str, host: str, port: int, error: OSError) -> None:
        own_group = name in ("gateway", "worker")
        group, *path = (name, "port") if own_group else ("servers", "ports", name)
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


class MeshRuns(CannotStart):
    """What is to be replaced is in use."""

    def __init__(self, lock: Path, pid: int | None) -> None:
        super().__init__(f"process {pid or '?'} runs a mesh on this home (lock {lock}); stop it first")
        self.lock, self.pid = lock, pid


class TrainingNotInstalled(CannotStart):
    """This installation only serves: the libraries that train are missing."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            f"this installation only serves, it lacks {', '.join(missing)}; "
            "`pip install 'bookmesh[train]'`, or train on a machine that has it"
        )
        self.missing = missing
