"""What keeps a worker from working."""

from pathlib import Path


class WorkerRunning(Exception):
    """The home has a running worker."""

    def __init__(self, lock: Path, pid: int | None) -> None:
        super().__init__(
            f"process {pid or '?'} is the worker of this home already (lock {lock}); `bookmesh jobs list` "
            "shows what it does"
        )
        self.lock, self.pid = lock, pid


class ForkerGone(Exception):
    """The process that forks those of jobs has ended; the worker must be started again."""
