"""Checks of a candidate against popularity, and against the version in production, on the same readers."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from artifacts.manifest import GateCheck
from foundation.arrays import F64, Mask
from pipeline.judging.checks import check_least, check_mean
from pipeline.judging.figures import MEANS, Figures
from pipeline.settings import GateParams

STANDARD_ERRORS: Final = 6.0
"""Of a mean difference that δ is at least: fewer, and chance would refuse versions that are as good."""

Slices = Mapping[str, Mask]
"""Groups of readers by name."""


def check_floor(
    recall: F64, popularity: F64, slices: Slices, params: GateParams, seed: int
) -> Iterator[GateCheck]:
    """That readers, also those of each slice, are served better than by what is popular."""
    what = f"recall less {params.floor_margin:g} × popularity's"
    over_floor = recall - params.floor_margin * popularity
    yield check_mean("recall_over_popularity", what, over_floor, 0.0, seed)
    for name, mask in slices.items():
        yield check_mean(f"recall_over_popularity_{name}", what, over_floor[mask], 0.0, seed, is_slice=True)


def check_losses(
    candidate: Figures, rival: Figures, slices: Slices, params: GateParams, seed: int, *, against: str
) -> Iterator[GateCheck]:
    """That no figure of the candidate's is worse than the rival's by more than δ, recall not in any slice."""
    for figure in MEANS:
        gains = getattr(candidate, figure) - getattr(rival, figure)
        what = f"{figure.replace('_', ' ')} less that of {against}"
        is_slice = figure == "tail_recall"
        yield check_mean(
            f"{figure}_over_current", what, gains, -allow(params, gains), seed, is_slice=is_slice
        )
        for name, mask in slices.items() if figure == "recall" else ():
            yield check_mean(
                f"recall_over_current_{name}", what, gains[mask], -allow(params, gains[mask]), seed,
                is_slice=True,
            )  # fmt: skip
    yield _check_coverage(candidate, rival, params, against)


def allow(params: GateParams, gains: F64) -> float:
    """δ, or what is chance where few readers or few hits tell; gains of NaN are of nobody."""
    known = gains[~np.isnan(gains)]
    if known.size < 2:
        return params.max_loss
    return max(params.max_loss, STANDARD_ERRORS * float(known.std(ddof=1) / np.sqrt(known.size)))


def _check_coverage(candidate: Figures, rival: Figures, params: GateParams, against: str) -> GateCheck:
    share = candidate.n_shown / rival.n_shown
    detail = (
        f"different books on the lists of {len(candidate.lists)} readers, as a share of those of {against}: "
        f"{candidate.n_shown} of {rival.n_shown}"
    )
    return check_least(
        "coverage_over_current", share, params.min_coverage, detail, n_readers=len(candidate.lists)
    )
