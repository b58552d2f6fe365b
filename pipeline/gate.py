"""Decides whether a candidate may be served: pure rules over what every reader was shown."""

from dataclasses import dataclass

import numpy as np

from artifacts.manifest import GateCheck, GateVerdict
from foundation.arrays import F64
from pipeline.evaluation.metrics import bootstrap_mean
from pipeline.settings import GateParams


@dataclass(frozen=True, eq=False)
class Measured:
    """Recall of each reader's list, (n_users,), by the candidate and by what it has to beat."""

    candidate: F64
    popularity: F64
    untrained: F64
    """The candidate's blend with the weights of everything learned from ratings set to 0."""
    gain_over_current: F64 | None
    """Candidate minus current, over the readers whose held-out books neither has seen; None without such."""
    ann_recall: dict[str, float]
    """Of each approximate index, against exact search."""


def judge(measured: Measured, *, params: GateParams, seed: int) -> GateVerdict:
    """Passed only if every check is; the lower ends of paired bootstrap intervals decide, not the means."""
    over_floor = measured.candidate - params.floor_margin * measured.popularity
    over_untrained = measured.candidate - measured.untrained
    checks = [
        _check_low_end(
            "recall_over_popularity",
            over_floor,
            0.0,
            seed,
            f"recall less {params.floor_margin:g} × popularity's",
        ),
        _check_low_end(
            "recall_over_untrained", over_untrained, 0.0, seed, "recall less that of authors and popularity"
        ),
        _check_current(measured.gain_over_current, params, seed),
        *(
            GateCheck(
                name=f"ann_recall_{name}",
                value=recall,
                threshold=params.min_ann_recall,
                passed=recall >= params.min_ann_recall,
                detail="share of the exact nearest that the index finds",
            )
            for name, recall in sorted(measured.ann_recall.items())
        ),
    ]
    return GateVerdict(passed=all(check.passed for check in checks), checks=tuple(checks))


def _check_current(gain: F64 | None, params: GateParams, seed: int) -> GateCheck:
    if gain is None:
        detail = "no current version whose held-out readers are these: nothing to compare with"
        return GateCheck(name="recall_over_current", value=None, threshold=None, passed=True, detail=detail)
    return _check_low_end(
        "recall_over_current", gain, -params.max_loss, seed, "recall less the current version's"
    )


def _check_low_end(name: str, differences: F64, threshold: float, seed: int, what: str) -> GateCheck:
    interval = bootstrap_mean(differences, np.random.default_rng(seed))
    return GateCheck(
        name=name,
        value=interval.low,
        threshold=threshold,
        passed=interval.low > threshold,
        detail=f"{what}, over {differences.size} readers: "
        f"{interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]",
    )
