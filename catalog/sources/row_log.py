"""Counts what is read, kept and dropped of every file of an import; the counts of a file add up."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol


class Progress(Protocol):
    """Told how far a stage of an import is; the total may not be known."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """`done` of `total` (bytes of a file, or rows) are behind us."""
        ...


@dataclass(frozen=True)
class FileReport:
    """One file's rows: n_read = n_kept + all of dropped."""

    name: str
    n_read: int
    n_kept: int
    dropped: dict[str, int]
    """Rows dropped per reason, the commonest first."""


@dataclass
class _Counts:
    n_read: int = 0
    n_kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


class RowLog:
    """Counts rows by file while an import runs, and passes progress on."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.repairs: Counter[str] = Counter()
        self._files: dict[str, _Counts] = {}

    def read(self, file: str, n: int = 1) -> None:
        """Count rows read."""
        counts = self._files.get(file)
        if counts is None:
            counts = self._files[file] = _Counts()
        counts.n_read += n

    def keep(self, file: str, n: int = 1) -> None:
        """Count rows that the catalog now holds, alone or merged with others."""
        self._files[file].n_kept += n

    def drop(self, file: str, reason: str, n: int = 1) -> None:
        """Count rows that were left out; the reason is one of a few fixed phrases."""
        self._files[file].dropped[reason] += n

    def file_reports(self) -> list[FileReport]:
        """The counts of all files; AssertionError if those of one do not add up, a mistake in a source."""
        for name, counts in self._files.items():
            if counts.n_read != counts.n_kept + counts.dropped.total():
                raise AssertionError(f"the row counts of {name} do not add up: {counts}")
        return [
            FileReport(name, counts.n_read, counts.n_kept, dict(counts.dropped.most_common()))
            for name, counts in self._files.items()
        ]
