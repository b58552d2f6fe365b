"""What a training run did, in one object for the CLI and one JSON file for later."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from artifacts.manifest import GateVerdict
from pipeline.stepping.progress import StepRun


@dataclass(frozen=True)
class RunReport:
    """The outcome of one training run."""

    started_at: str
    """UTC, ISO 8601."""
    seconds: float
    version: str
    promoted: bool
    """False if the gate refused the version: it is sealed for inspection and nothing points at it."""
    verdict: GateVerdict
    steps: tuple[StepRun, ...]
    cleaning: dict[str, int]
    """Ratings read, kept, and dropped for each reason."""
    metrics: dict[str, Any]

    @property
    def failed_checks(self) -> list[str]:
        """Names of the gate's checks that refused the version."""
        return [check.name for check in self.verdict.checks if check.failed]

    @property
    def skipped_checks(self) -> list[str]:
        """Names of the checks that were not made."""
        return [check.name for check in self.verdict.checks if check.skipped and check.value is None]


def write_report(report: RunReport, folder: Path) -> None:
    """Write the report as `train-<start>.json`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"train-{report.started_at.replace(':', '')}.json"
    unfinished = path.with_suffix(".unfinished")
    content = {**asdict(report), "verdict": report.verdict.model_dump(mode="json")}
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    unfinished.replace(path)
