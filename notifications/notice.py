"""What operators are told: what happened, by how much, and what to do. Nothing of any reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from artifacts.manifest import GateCheck, Manifest

RECALL: Final = "recall@30"
GAIN: Final = "recall_gain_over_current@30"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification."""

    kind: str
    """gate_refused, training_failed, version_promoted, version_rolled_back or message."""
    subject: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For programs; JSON."""


def describe_refusal(refused: Manifest, current: str | None) -> Notice:
    """The gate refused a version."""
    failed = [check for check in refused.gate.checks if check.failed]
    names = ", ".join(check.name for check in failed)
    stays = f"{current} goes on being served" if current else "nothing is served yet"
    lines = [f"The gate refused {refused.version}; {stays}.", "", *map(_describe_check, failed), ""]
    advice = (
        f"What to do: `bookmesh versions show {refused.version}` has all figures, `bookmesh data report` "
        "what was imported last. Ratings that came by a mistake are the usual reason: take them back and "
        "train again. Until then every night's training is refused, and what is served grows old.\n"
        f"`bookmesh versions promote {refused.version} --force` serves it all the same."
    )
    facts = {
        "version": refused.version,
        "current": current,
        "failed": [check.model_dump(include={"name", "value", "threshold", "detail"}) for check in failed],
    }
    return Notice(
        "gate_refused", f"the gate refused {refused.version}: {names}", "\n".join([*lines, advice]), facts
    )


def describe_failure(where: str, reason: str, current: str | None) -> Notice:
    """A training ended by an error."""
    stays = f"{current} goes on being served" if current else "nothing is served yet"
    text = (
        f"A training failed {where}; {stays}.\n\n{reason}\n\n"
        "What to do: mend that, and run `bookmesh train`, or leave it to the worker or the timer, which try "
        "again: steps that were done are kept. `logs/worker.log` or the timer's journal has the lines of "
        "each step."
    )
    facts = {"where": where, "reason": reason, "current": current}
    return Notice("training_failed", f"training failed {where}", text, facts)


def describe_promotion(promoted: Manifest, former: str | None, *, by: str, why: str) -> Notice:
    """Another version is served."""
    lines = [
        f"{promoted.version} is served now, instead of {former or 'nothing'} ({by}: {why}).",
        "",
        *_describe_quality(promoted),
    ]
    if not promoted.gate.passed:
        failed = ", ".join(check.name for check in promoted.gate.checks if check.failed)
        lines.append(f"The gate had refused it ({failed}).")
    lines += ["", "What to do: nothing. `bookmesh versions rollback` takes it back."]
    facts = {"version": promoted.version, "former": former, "by": by, "why": why, "recall": _recall(promoted)}
    return Notice("version_promoted", f"{promoted.version} is served now", "\n".join(lines), facts)


def describe_rollback(current: Manifest, left: str | None, *, by: str, why: str) -> Notice:
    """What is served is an earlier version again."""
    advice = (
        f"What to do: find out what was wrong with {left}, before the next training makes another like it. "
        f"`bookmesh versions promote {left}` serves it again."
    )
    lines = [
        f"{current.version} is served again, instead of {left} ({by}: {why}).",
        "",
        f"It knows what readers did until {current.trained_at:%Y-%m-%d %H:%M} UTC.",
        *_describe_quality(current),
        "",
        advice,
    ]
    facts = {"version": current.version, "former": left, "by": by, "why": why, "recall": _recall(current)}
    return Notice("version_rolled_back", f"rolled back to {current.version}", "\n".join(lines), facts)


def _describe_check(check: GateCheck) -> str:
    if check.value is None or check.threshold is None:
        return f"- {check.name}: {check.detail}"
    short = check.threshold - check.value
    return (
        f"- {check.name} is {check.value:.4f}, must be above {check.threshold:.4f}: {short:.4f} short\n"
        f"  ({check.detail})"
    )


def _describe_quality(manifest: Manifest) -> list[str]:
    lines = []
    if (recall := _recall(manifest)) is not None:
        lines.append(f"{RECALL}: {recall:.4f} of what {manifest.metrics.get('n_readers')} readers held out.")
    match manifest.metrics.get(GAIN):
        case {"mean": float(mean), "low": float(low), "high": float(high)}:
            before = "That is by this much more than the version before had of the same books"
            lines.append(f"{before}: {mean:+.4f} [{low:+.4f}, {high:+.4f}].")
    return lines


def _recall(manifest: Manifest) -> float | None:
    match manifest.metrics.get(RECALL):
        case {"mean": float(mean)}:
            return mean
    return None
