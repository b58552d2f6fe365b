"""How the gate has judged every version: by manifests, and by reports of versions that are gone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from artifacts.manifest import GateVerdict, read_created_at
from artifacts.store import ArtifactStore


@dataclass(frozen=True)
class Judged:
    """One trained version, and how it was judged."""

    version: str
    outcome: Literal["promoted", "refused", "forced", "passed"]
    """`forced` is what was refused and promoted all the same; `passed`, what nobody has promoted."""
    is_current: bool
    verdict: GateVerdict
    metrics: Mapping[str, Any]

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "version": self.version,
            "created_at": read_created_at(self.version).isoformat(),
            "outcome": self.outcome,
            "is_current": self.is_current,
            "verdict": self.verdict.model_dump(mode="json"),
            "metrics": dict(self.metrics),
        }


def read_history(store: ArtifactStore, reports: Path) -> list[Judged]:
    """All trained versions that the store or a training's report knows of, oldest first."""
    found = {version: (verdict, metrics) for version, verdict, metrics in _read_reports(reports)}
    manifests = {manifest.version: manifest for manifest in store.manifests()}
    found |= {
        version: (manifest.gate, manifest.metrics)
        for version, manifest in manifests.items()
        if manifest.refresh_of is None
    }
    promoted = {promotion.trained_version for promotion in store.promotions()}
    current = store.current()
    served = manifests[current].trained_version if current in manifests else current
    return [
        Judged(version, _name_outcome(verdict, version in promoted), version == served, verdict, metrics)
        for version, (verdict, metrics) in sorted(found.items())
    ]


def _read_reports(folder: Path) -> Iterator[tuple[str, GateVerdict, Mapping[str, Any]]]:
    """What each training wrote down; a report that is damaged tells nothing."""
    for path in folder.glob("train-*.json"):
        try:
            report = json.loads(path.read_text())
            yield report["version"], GateVerdict.model_validate(report["verdict"]), report["metrics"]
        except (KeyError, TypeError, ValueError, ValidationError):
            continue


def _name_outcome(
    verdict: GateVerdict, is_promoted: bool
) -> Literal["promoted", "refused", "forced", "passed"]:
    if is_promoted:
        return "promoted" if verdict.passed else "forced"
    return "passed" if verdict.passed else "refused"
