"""Counts what is read, kept and dropped of every file of an import; the counts of a file add up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, Protocol

MAX_LINES: Final = 5
"""How many lines are told for each reason."""


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
    lines: dict[str, list[int]] = field(default_factory=dict)
    """The first lines that were dropped for each reason; of a Parquet file, the first rows."""


class RowLog:
    """Counts rows by file while an import runs, and passes progress on."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.repairs: Counter[str] = Counter()
        self.line: int | None = None
        """Where the row that was read last begins, if it has a place in a file."""
        self._files: dict[str, FileReport] = {}

    def read(self, file: str, line: int | None = None) -> None:
        """Count a row read, which begins in this line."""
        report = self._files.get(file)
        if report is None:
            report = self._files[file] = FileReport(file)
        report.n_read += 1
        self.line = line

    def keep(self, file: str, n: int = 1) -> None:
        """Count rows that the catalog now holds, alone or merged with others."""
        self._files[file].n_kept += n

    def drop(self, file: str, reason: str) -> None:
        """Count the row that was read last as left out; the reason is one of a few fixed phrases."""
        self.drop_lines(file, reason, 1, () if self.line is None else (self.line,))

    def drop_lines(self, file: str, reason: str, n: int, lines: Iterable[int]) -> None:
        """Count rows read before as left out, which began in these lines, ascending."""
        report = self._files[file]
        report.dropped[reason] = report.dropped.get(reason, 0) + n
        known = report.lines.setdefault(reason, [])
        known.extend(islice(lines, MAX_LINES - len(known)))

    def file_reports(self) -> list[FileReport]:
        """The counts of all files; AssertionError if those of one do not add up, a mistake in a source."""
        for report in self._files.values():
            if report.n_read != report.n_kept + sum(report.dropped.values()):
                raise AssertionError(f"row counts do not add up: {report}")
        return [
            replace(report, dropped=dict(Counter(report.dropped).most_common()))
            for report in self._files.values()
        ]
