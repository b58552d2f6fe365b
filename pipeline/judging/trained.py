"""Whether ALS was trained to its end: a run that broke off leaves factors that look like any others."""

from typing import Final

from artifacts.manifest import GateCheck
from evidence.als import AlsParams, measure_repeated
from evidence.registry import Evidence, EvidenceParams
from foundation.tools import Tools
from pipeline.judging.checks import check_least
from pipeline.records import Fold

MIN_REPEATED: Final = 0.97
"""Whole trainings had 1, .985 with sums rounded otherwise; those of half the iterations .007 at most."""


def check_trained(
    evidence: Evidence, fold: Fold, params: EvidenceParams, *, seed: int, tools: Tools, prefix: str = ""
) -> GateCheck:
    """That the same training once more gives the same factors.

    The factors alone do not tell: those of a few iterations that were asked for are as far from where more
    would take them as those of many that broke off.
    """
    als = AlsParams.model_validate(params.model_dump()["als"])
    share = measure_repeated(evidence.als.item_factors, fold.evidence, params=als, seed=seed, tools=tools)
    detail = "share of the books whose factors the same training gives once more"
    return check_least(f"{prefix}als_trained", share, MIN_REPEATED, detail)
