"""Counts what is read, kept and dropped of every file of an import; the counts of a file add up."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Protocol


class Progress(Protocol):
    """Told how far a stage of an import is; the total may not be known."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """`done` of `total` (bytes of a file, or rows) are behind us."""


@dataclass
class FileReport:
    """One file's rows: n_read = n_kept + all of dropped."""

    name: str
    n_read: int = 0
    n_kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows dropped per reason, in a report the commonest first."""


class RowLog:
    """Counts rows by file while an import runs, and passes progress on."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.repairs: Counter[str] = Counter()
        self._files: dict[str, FileReport] = {}

    def read(self, file: str, n: int = 1) -> None:
        """Count rows read."""
        report = self._files.get(file)
        if report is None:
            report = self._files[file] = FileReport(file)
        report.n_read += n

    def keep(self, file: str, n: int = 1) -> None:
        """Count rows that the catalog now holds, alone or merged with others."""
        self._files[file].n_kept += n

    def drop(self, file: str, reason: str, n: int = 1) -> None:
        """Count rows that were left out; the reason is one of a few fixed phrases."""
        dropped = self._files[file].dropped
        dropped[reason] = dropped.get(reason, 0) + n

    def file_reports(self) -> list[FileReport]:
        """The counts of all files; AssertionError if those of one do not add up, a mistake in a source."""
        for report in self._files.values():
            if report.n_read != report.n_kept + sum(report.dropped.values()):
                raise AssertionError(f"row counts do not add up: {report}")
        return [
            replace(report, dropped=dict(Counter(report.dropped).most_common()))
            for report in self._files.values()
        ]
