"""What keeps a worker from starting."""

from pathlib import Path


class WorkerRunning(Exception):
    """The home has a running worker."""

    def __init__(self, lock: Path, pid: int | None) -> None:
        super().__init__(
            f"process {pid or '?'} is the worker of this home already (lock {lock}); `bookmesh jobs list` "
            "shows what it does"
        )
        self.lock, self.pid = lock, pid
