"""Step 9: measures the candidate on the held-out fold as it would be served, and judges it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from artifacts.manifest import GateVerdict
from foundation.arrays import F64, I64
from foundation.serving_rules import ServingRules
from pipeline.books import collect_subject_sets
from pipeline.evaluation.lists import name_favourites, serve_cold, serve_collaborative, serve_popular
from pipeline.evaluation.metrics import NDCG_K, bootstrap_mean, coverage_at_k, ndcg_at_k, recall_at_k
from pipeline.evaluation.readers import Readers, choose_readers
from pipeline.gate import Measured, judge
from pipeline.interactions import Fold
from pipeline.models.fold_models import FoldModels, build_fold_models, drop_learned
from pipeline.settings import GateParams
from pipeline.steps.s1_export import Export
from pipeline.steps.s3_split import Split
from pipeline.steps.s4_aggregate import Aggregates
from pipeline.steps.s5_subjects import Subjects
from pipeline.steps.s6_als import Als
from pipeline.steps.s7_ranker import Blend
from pipeline.steps.s8_index import ANN_K, Index, Texts


@dataclass(frozen=True, eq=False)
class Gate:
    """The verdict (a GateVerdict as JSON), and all figures of the evaluation."""

    verdict: dict[str, Any]
    metrics: dict[str, Any]

    def read_verdict(self) -> GateVerdict:
        """The verdict, typed."""
        return GateVerdict.model_validate(self.verdict)


def gate(
    folds: Split,
    catalog: Export,
    aggregates: Aggregates,
    subjects: Subjects,
    als: Als,
    blend: Blend,
    index: Index,
    texts: Texts,
    current: FoldModels | None,
    serving: ServingRules,
    *,
    params: GateParams,
    seed: int,
) -> Gate:
    """Serve the held-out readers by the candidate, by what it has to beat, and by the current version."""
    candidate = build_fold_models(folds, catalog, aggregates, subjects, als, blend)
    ann_recall = {**index.ann_recall, "text": texts.ann_recall}
    readers = choose_readers(folds.train, folds.held_out, at_most=params.max_users)
    served = serve_collaborative(candidate.als, readers, params.k)
    recall = _recall(served, readers, params)
    measured = Measured(
        candidate=recall,
        popularity=_recall(
            serve_popular(candidate.als.book_ids, candidate.als.popularity, readers, params.k),
            readers,
            params,
        ),
        untrained=_recall(
            serve_collaborative(drop_learned(candidate.als), readers, params.k), readers, params
        ),
        gain_over_current=_gain_over(current, recall, readers, params),
        ann_recall=ann_recall,
    )
    figures = {
        f"recall@{params.k}": recall,
        f"ndcg@{NDCG_K}": ndcg_at_k(served, readers.held_out, NDCG_K),
        f"cold_recall@{params.k}": _cold_recall(candidate, folds.train, readers, catalog, serving, params),
        f"popularity_recall@{params.k}": measured.popularity,
        f"untrained_recall@{params.k}": measured.untrained,
    }
    if measured.gain_over_current is not None:
        figures[f"recall_gain_over_current@{params.k}"] = measured.gain_over_current
    intervals = {
        name: asdict(bootstrap_mean(values, np.random.default_rng(seed))) for name, values in figures.items()
    }
    return Gate(
        verdict=judge(measured, params=params, seed=seed).model_dump(mode="json"),
        metrics={
            **intervals,
            f"coverage@{params.k}": coverage_at_k(served, candidate.als.book_ids.size, params.k),
            f"ann_recall@{ANN_K}": ann_recall,
            "n_readers": readers.size,
            "blend": blend.weights,
        },
    )


def _gain_over(current: FoldModels | None, recall: F64, readers: Readers, params: GateParams) -> F64 | None:
    """Candidate minus current for the readers of both; None without a current version or such a reader."""
    if current is None:
        return None
    is_common = np.isin(readers.user_ids, current.reader_ids)
    if not is_common.any():
        return None
    common = readers.take(is_common)
    return recall[is_common] - _recall(serve_collaborative(current.als, common, params.k), common, params)


def _cold_recall(
    candidate: FoldModels,
    train: Fold,
    readers: Readers,
    catalog: Export,
    serving: ServingRules,
    params: GateParams,
) -> F64:
    sets = collect_subject_sets(catalog.book_subjects, catalog.subjects, train.book_ids)
    served = serve_cold(
        candidate.als,
        candidate.embedder,
        candidate.book_vectors,
        name_favourites(sets, train.book_ids, readers),
        readers,
        popularity_weight=serving.subjects_popularity_weight,
        k=params.k,
    )
    return _recall(served, readers, params)


def _recall(served: list[I64], readers: Readers, params: GateParams) -> F64:
    return recall_at_k(served, readers.held_out, params.k)
