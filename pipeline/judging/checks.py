"""How checks of the gate are made: a mean over readers is as good as the lower end of its interval."""

from typing import Final

import numpy as np

from artifacts.manifest import GateCheck
from foundation.arrays import F64
from pipeline.evaluation.intervals import bootstrap_mean

MIN_READERS: Final = 300
"""A slice with fewer is reported and not judged: chance would refuse honest versions."""


def check_mean(
    name: str, what: str, values: F64, least: float, seed: int, *, is_slice: bool = False
) -> GateCheck:
    """That the mean over readers is surely above `least`; NaN is the value of a reader it is not about."""
    values = values[~np.isnan(values)]
    if not values.size:
        return not_made(name, f"{what}: no reader", skipped=True)
    found = bootstrap_mean(values, np.random.default_rng(seed))
    is_judged = not is_slice or values.size >= MIN_READERS
    detail = f"{what}, over {values.size} readers: {found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
    if not is_judged:
        detail += f"; not judged, since they are fewer than {MIN_READERS}"
    return GateCheck(
        name=name,
        value=found.low,
        threshold=least,
        passed=is_judged and found.low > least,
        skipped=not is_judged,
        detail=detail,
        mean=found.mean,
        interval=(found.low, found.high),
        n_readers=values.size,
    )


def check_least(
    name: str, value: float, least: float, detail: str, *, n_readers: int | None = None
) -> GateCheck:
    """That a figure is as large as it must be."""
    value = float(value)
    return GateCheck(
        name=name, value=value, threshold=least, passed=value >= least, detail=detail, n_readers=n_readers
    )


def not_made(name: str, detail: str, *, skipped: bool) -> GateCheck:
    """A check for which there is nothing to measure; unless skipped, that refuses the version."""
    return GateCheck(name=name, value=None, threshold=None, passed=False, skipped=skipped, detail=detail)
