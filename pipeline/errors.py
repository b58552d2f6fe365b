"""Everything that stops a training run, each with what to do about it.

PipelineError
├── AlreadyTraining     another process trains or refreshes in this home
├── CannotCompare       the version in production cannot be judged by today's folds
├── TooFewRatings       the catalog holds less than the models need
├── NothingToEvaluate   no version is promoted, or it was trained on other folds
├── NothingToRefresh    no version is promoted
└── RefreshRefused      the refreshed version is not as it should be
"""

from collections.abc import Sequence
from pathlib import Path


class PipelineError(Exception):
    """Base of all errors of this package."""


class AlreadyTraining(PipelineError):
    """Another process holds the lock of this home; two runs would overwrite each other's pointer."""

    def __init__(self, path: Path, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{who} is training or refreshing already (lock {path}); wait for it or stop it, "
            "with `bookmesh jobs cancel` if it does a job of the worker"
        )
        self.path, self.pid = path, pid


class CannotCompare(PipelineError):
    """Why a version cannot be measured beside the candidate; a run does not end by it."""


class TooFewRatings(PipelineError):
    """There are not enough readers with enough ratings to train on some and measure on others."""

    def __init__(self, *, found: int, needed: int, ratings_each: int) -> None:
        super().__init__(
            f"{found} readers have at least {ratings_each} ratings, training needs {needed}: "
            "import a larger source, or `bookmesh import demo` to try the system"
        )
        self.found, self.needed, self.ratings_each = found, needed, ratings_each


class NothingToEvaluate(PipelineError):
    """There is no promoted version whose fold models could be measured."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; run `bookmesh train` first")


class NothingToRefresh(PipelineError):
    """There is no version to bring up to the books of now."""

    def __init__(self) -> None:
        super().__init__("no version is current; run `bookmesh train` first")


class RefreshRefused(PipelineError):
    """Checks that a refreshed version failed; nothing points at it."""

    def __init__(self, checks: Sequence[str]) -> None:
        super().__init__(
            f"the refreshed version failed {', '.join(checks)}, the current one stays; "
            "`bookmesh train` makes a new one from all that the catalog holds"
        )
        self.checks = tuple(checks)
