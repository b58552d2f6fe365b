"""What each kind of evidence adds: lists that are ordered by all the others, learned anew without it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from evidence.authors import Authors
from evidence.kind import History, Scored
from evidence.registry import Evidence
from foundation.arrays import I64
from pipeline.comparing.bench import Bench
from pipeline.models.fold_models import build_als

NEEDED: Final = "popularity"
"""What orders books of which nothing else speaks."""


@dataclass(frozen=True, eq=False)
class _SilentAuthors(Authors):
    """Who wrote what, for the author limit, and no evidence."""

    def score(self, history: History) -> Scored:
        """Nothing speaks for any book."""
        return Scored(np.zeros(self.book_authors.shape[0], dtype=np.float32), 0.0)


def list_ablations() -> dict[str, Callable[[Bench], list[I64]]]:
    """What is served, by its name, without each kind in turn."""
    kinds = [kind for kind in Evidence.classes() if kind != NEEDED]
    return {f"served without {kind}": partial(_serve_without, kind=kind) for kind in kinds}


def _serve_without(bench: Bench, kind: str) -> list[I64]:
    ranking = bench.fitter.rank(bench.folds, _drop(bench.inner_evidence, kind))
    model = build_als(bench.fold, _drop(bench.evidence, kind), ranking.params, ranking.ranker)
    return bench.serve(model)


def _drop(evidence: Evidence, kind: str) -> Evidence:
    authors = _SilentAuthors(evidence.authors.book_authors)
    dropped: dict[str, Any] = {kind: authors if kind == "authors" else None}
    return replace(evidence, **dropped)
