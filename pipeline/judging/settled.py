"""Whether ALS was trained to its end: a run that broke off leaves factors that look like any others."""

from typing import Final

from artifacts.manifest import GateCheck
from evidence.als import AlsParams, measure_settled
from evidence.registry import Evidence, EvidenceParams
from foundation.tools import Tools
from pipeline.judging.checks import check_least
from pipeline.records import Fold

MIN_SETTLED: Final = 0.75
"""Whole trainings had .98 or more, those of one iteration .7 or less, factors half as drawn .59 or less."""


def check_settled(
    evidence: Evidence, fold: Fold, params: EvidenceParams, tools: Tools, *, prefix: str = ""
) -> GateCheck:
    """That a few more iterations over their fold would leave most factors about where they are."""
    als = AlsParams.model_validate(params.model_dump()["als"])
    share = measure_settled(evidence.als.item_factors, fold.evidence, params=als, threads=tools.threads)
    detail = "share of the books whose factors more iterations would move by less than half their length"
    return check_least(f"{prefix}als_settled", share, MIN_SETTLED, detail)
