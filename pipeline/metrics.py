"""What a training run tells Prometheus: a file in its text format, which the worker shows from then on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from artifacts.manifest import GateCheck
from pipeline.report import RunReport
from pipeline.stepping.progress import StepRun

OUTCOMES: Final = ("promoted", "refused", "failed")


def write_metrics(
    path: Path, runs: Sequence[StepRun], report: RunReport | None, *, started_at: datetime
) -> None:
    """Write what became of a run, whole or not at all; without a report it failed after the last step."""
    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"bookmesh_training_{name}", text, labels, registry=registry)

    gauge("started_timestamp_seconds", "When the last training began.").set(started_at.timestamp())
    gauge("ended_timestamp_seconds", "When the last training ended.").set(datetime.now(UTC).timestamp())
    outcome = gauge("outcome", "1 for what became of the last training.", "outcome")
    for each in OUTCOMES:
        outcome.labels(each).set(each == _name_outcome(report))
    seconds = gauge(
        "step_seconds", "Time that a step took; of one that was reused, to read it.", "step", "data"
    )
    for run in runs:
        seconds.labels(f"{run.number} {run.name}", run.data).set(run.seconds)
    if report is not None:
        rows = gauge("rows", "Ratings read, kept, and dropped for each reason.", "what")
        for what, n in report.cleaning.items():
            rows.labels(what).set(n)
        metric = gauge(
            "metric", "A figure of quality, and the ends of its 95 % interval.", "metric", "figure"
        )
        for name, figure, value in _flatten(report.metrics):
            metric.labels(name, figure).set(value)
        _tell_checks(gauge, report.verdict.checks)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry)


def _name_outcome(report: RunReport | None) -> str:
    if report is None:
        return "failed"
    return "promoted" if report.promoted else "refused"


def _flatten(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """(metric, mean, low or high, value) of every number; what is no number is no metric."""
    for name, value in metrics.items():
        match value:
            case {"mean": _, "low": _, "high": _}:
                yield from ((name, figure, value[figure]) for figure in ("mean", "low", "high"))
            case dict():
                yield from _flatten({f"{name} {key}": each for key, each in value.items()})
            case int() | float():
                yield name, "mean", value


def _tell_checks(gauge: Any, checks: Sequence[GateCheck]) -> None:
    passed = gauge("check_passed", "1 if the gate's check passed; those that were made.", "check")
    figure = gauge("check", "What the gate measured, and what it asked for.", "check", "figure")
    for check in checks:
        if not check.skipped:
            passed.labels(check.name).set(check.passed)
        for name, value in (("value", check.value), ("threshold", check.threshold)):
            if value is not None:
                figure.labels(check.name, name).set(value)
