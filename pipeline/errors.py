"""Everything that stops a training run, each with what to do about it.

PipelineError
├── AlreadyTraining     another process trains or refreshes in this home
├── CannotCompare       the version in production cannot be judged by today's folds
├── FoldsOverlap        models would learn from what they are judged by
├── TooFewRatings       the catalog holds less than the models need
├── ParametersUnreadable    a file of hyper-parameters is none of this release
├── NoTimes             too few ratings tell when a book was read
├── NoFavourites        no subjects or authors are known, by which a new reader could be served
├── UnknownKind         no kind of evidence of this name has parameters that are searched
├── UnknownModel        nothing of this name is compared by this protocol
├── UnknownSource       no reader is of this source
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


class FoldsOverlap(PipelineError):
    """Held-out pairs are in a fold that models learn from, which would be judged by what they were shown."""

    def __init__(self, fold: str, n_shared: int) -> None:
        super().__init__(
            f"{n_shared} held-out ratings are in the {fold} fold too, so that the gate would judge models by "
            "what they were shown; nothing was trained, the current version stays. "
            "`bookmesh train --from clean` makes the folds anew; if that says the same, the code that splits "
            "is wrong, and no training can be trusted before it is mended"
        )
        self.fold, self.n_shared = fold, n_shared


class TooFewRatings(PipelineError):
    """There are not enough readers with enough ratings to train on some and measure on others."""

    def __init__(self, *, found: int, needed: int, ratings_each: int) -> None:
        super().__init__(
            f"{found} readers have at least {ratings_each} ratings, training needs {needed}: "
            "import a larger source, or `bookmesh import demo` to try the system"
        )
        self.found, self.needed, self.ratings_each = found, needed, ratings_each


class ParametersUnreadable(PipelineError):
    """A file of hyper-parameters cannot be read by this release."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} holds no hyper-parameters of this release ({reason}); remove it")
        self.path = path


class NoTimes(PipelineError):
    """The ratings cannot be split by time."""

    def __init__(self, share: float) -> None:
        super().__init__(
            f"{share:.0%} of the ratings tell when a book was read, and `--protocol time` needs half of "
            "them: import a source that has times, or use `--protocol warm`"
        )
        self.share = share


class NoFavourites(PipelineError):
    """Nobody can be served by favourites."""

    def __init__(self) -> None:
        super().__init__(
            "no book has a subject or an author by which a new reader could be served: import a source that "
            "has them, or use `--protocol fold-in`"
        )


class UnknownKind(PipelineError):
    """No kind of evidence of this name is tuned."""

    def __init__(self, kind: str, known: Sequence[str]) -> None:
        super().__init__(f"{kind!r} has no parameters that are searched; there are {', '.join(known)}")
        self.kind, self.known = kind, known


class UnknownModel(PipelineError):
    """Nothing of this name can be compared."""

    def __init__(self, name: str, protocol: str, known: Sequence[str]) -> None:
        super().__init__(f"{name!r} is nothing that {protocol} compares; there are {', '.join(known)}")
        self.name, self.protocol, self.known = name, protocol, known


class UnknownSource(PipelineError):
    """No reader with ratings is of this source."""

    def __init__(self, source: str, known: Sequence[str]) -> None:
        super().__init__(f"no reader is of the source {source!r}; there are {', '.join(known)}")
        self.source, self.known = source, known


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
