"""Measures what is served beside what others would serve, on one split in one run."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from artifacts.store import ArtifactStore
from catalog.database import Database
from catalog.schema import check_migrated
from foundation.arrays import I64
from pipeline.errors import NothingToEvaluate
from pipeline.evaluation.baselines import serve_classic_als, serve_classic_system
from pipeline.evaluation.lists import serve_collaborative, serve_popular
from pipeline.evaluation.metrics import NDCG_K, Interval, bootstrap_mean, ndcg_at_k, recall_at_k
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.fold_models import GATE_OWNER, FoldModels
from pipeline.settings import TrainSettings
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s4_aggregate import aggregate

CLASSIC_SYSTEM = "classic system"
SERVED = "served"


@dataclass(frozen=True)
class ModelRow:
    """One model's figures: means over readers."""

    model: str
    recall: Interval
    ndcg: float
    served_gain: Interval
    """Recall of what is served less this model's."""


@dataclass(frozen=True)
class EvaluationReport:
    """All models on the same held-out readers."""

    version: str
    split_id: str
    k: int
    ndcg_k: int
    n_users: int
    rows: tuple[ModelRow, ...]

    @property
    def classic_recall(self) -> float:
        """Recall of the classic system."""
        return next(row.recall.mean for row in self.rows if row.model == CLASSIC_SYSTEM)


def compare(settings: TrainSettings, db: Database, store: ArtifactStore) -> EvaluationReport:
    """Popularity, classic system, classic ALS and what is served, for readers held out of today's catalog.

    Served are the current version's models of its train fold, which never saw what is held out. Raises
    NothingToEvaluate without a version of these folds, TooFewRatings, DatabaseNotMigrated.
    """
    check_migrated(db)
    options, params = settings.train, settings.train.gate
    folds = split(clean(export(db)), params=options.split)
    version, models = _load_served(store, folds.split_id)
    train, k = folds.train, params.k
    chosen = choose_users(train, folds.held_out, at_most=params.max_users)
    users = chosen.take(np.isin(chosen.user_ids, models.reader_ids))
    aggregates = aggregate(train, params=options.aggregate)
    with threadpool_limits(limits=1, user_api="blas"):
        classic_als = serve_classic_als(train, users, k, seed=options.seed, threads=options.threads)
        lists = {
            "popularity": serve_popular(train.book_ids, aggregates.popularity, users, k),
            CLASSIC_SYSTEM: serve_classic_system(train, aggregates, classic_als, users, k),
            "classic ALS": classic_als,
            SERVED: serve_collaborative(models.als, users, k, settings.serving),
        }
    return EvaluationReport(
        version=version,
        split_id=folds.split_id,
        k=k,
        ndcg_k=NDCG_K,
        n_users=users.size,
        rows=_measure(lists, users, k, options.seed),
    )


def _load_served(store: ArtifactStore, split_id: str) -> tuple[str, FoldModels]:
    version = store.current()
    if version is None:
        raise NothingToEvaluate("no version is current")
    manifest = store.manifest(version)
    if manifest.split_id != split_id:
        raise NothingToEvaluate(f"{version} was trained on other folds ({manifest.split_id}, now {split_id})")
    return version, store.load(manifest, GATE_OWNER, FoldModels).record


def _measure(lists: dict[str, list[I64]], users: EvaluationUsers, k: int, seed: int) -> tuple[ModelRow, ...]:
    recalls = {model: recall_at_k(served, users.held_out, k) for model, served in lists.items()}
    return tuple(
        ModelRow(
            model=model,
            recall=bootstrap_mean(recall, np.random.default_rng(seed)),
            ndcg=float(ndcg_at_k(lists[model], users.held_out, NDCG_K).mean()),
            served_gain=bootstrap_mean(recalls[SERVED] - recall, np.random.default_rng(seed)),
        )
        for model, recall in recalls.items()
    )
