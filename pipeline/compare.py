"""Measures what is served beside what others would serve, on one split in one run."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from artifacts.store import ArtifactStore
from catalog.database import Database
from catalog.schema import check_migrated
from foundation.arrays import F64, I64, find_rows
from foundation.serving_rules import ServingRules
from pipeline.errors import NothingToEvaluate
from pipeline.evaluation.baselines import serve_classic_als, serve_classic_system
from pipeline.evaluation.intervals import Interval, bootstrap_mean
from pipeline.evaluation.lists import rank_all, serve_collaborative, serve_popular
from pipeline.evaluation.metrics import (
    DISLIKED,
    LOVED,
    NDCG_K,
    auc_of_loved,
    ndcg_at_k,
    recall_at_k,
)
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.fold_models import GATE_OWNER, FoldModels
from pipeline.settings import TrainSettings
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s4_aggregate import aggregate
from servers.als.model import AlsModel

CLASSIC_SYSTEM = "classic system"
UNRATED = "served, were ratings not counted"
SERVED = "served"


@dataclass(frozen=True)
class ModelRow:
    """One model's figures: means over readers."""

    model: str
    recall: Interval
    wanted_recall: Interval
    """Recall of the held-out books that were not rated 5 or less, which nobody should be shown."""
    ndcg: float
    served_gain: Interval
    """Recall of what is served less this model's."""


@dataclass(frozen=True)
class RatingEffect:
    """How often a held-out book rated 8 or more ranks above one rated 5 or less: a reader's mean."""

    n_users: int
    served: Interval
    unrated: Interval
    """Were ratings not counted."""
    gain: Interval
    """The one less the other."""


@dataclass(frozen=True)
class EvaluationReport:
    """All models on the same held-out readers."""

    version: str
    split_id: str
    k: int
    ndcg_k: int
    n_users: int
    rows: tuple[ModelRow, ...]
    rating_effect: RatingEffect | None
    """None if no reader held out a loved and a disliked book."""

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
    folds = split(clean(export(db), event_weights=settings.serving.events), params=options.split)
    version, models = _load_served(store, folds.split_id)
    train, k = folds.train, params.k
    chosen = choose_users(train, folds.held_out, at_most=params.max_users)
    users = chosen.take(np.isin(chosen.user_ids, models.reader_ids))
    unrated = settings.serving.model_copy(update={"rating_strength": 0.0})
    aggregates = aggregate(train, params=options.aggregate)
    popularity = np.where(train.is_shown, aggregates.popularity, -np.inf)
    with threadpool_limits(limits=1, user_api="blas"):
        classic_als = serve_classic_als(train, users, k, seed=options.seed, threads=options.threads)
        lists = {
            "popularity": serve_popular(train.book_ids, popularity, users, k),
            CLASSIC_SYSTEM: serve_classic_system(train, aggregates, classic_als, users, k),
            "classic ALS": classic_als,
            UNRATED: serve_collaborative(models.als, users, k, unrated),
            SERVED: serve_collaborative(models.als, users, k, settings.serving),
        }
        everybody = choose_users(train, folds.held_out, at_most=train.user_ids.size)
        rating_effect = _measure_rating_effect(
            models, everybody, rules=settings.serving, unrated=unrated, seed=options.seed
        )
    return EvaluationReport(
        version=version,
        split_id=folds.split_id,
        k=k,
        ndcg_k=NDCG_K,
        n_users=users.size,
        rows=_measure(lists, users, k, options.seed),
        rating_effect=rating_effect,
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
    wanted = [
        books[~(ratings <= DISLIKED)]
        for books, ratings in zip(users.held_out, users.held_out_ratings, strict=True)
    ]
    return tuple(
        ModelRow(
            model=model,
            recall=_bound(recall, seed),
            wanted_recall=_bound(_recall_wanted(lists[model], wanted, k), seed),
            ndcg=float(ndcg_at_k(lists[model], users.held_out, NDCG_K).mean()),
            served_gain=_bound(recalls[SERVED] - recall, seed),
        )
        for model, recall in recalls.items()
    )


def _recall_wanted(served: list[I64], wanted: list[I64], k: int) -> F64:
    """Of the readers who held out any wanted book."""
    with_any = [(shown, books) for shown, books in zip(served, wanted, strict=True) if books.size]
    return recall_at_k([shown for shown, _ in with_any], [books for _, books in with_any], k)


def _measure_rating_effect(
    models: FoldModels, users: EvaluationUsers, *, rules: ServingRules, unrated: ServingRules, seed: int
) -> RatingEffect | None:
    """Over all readers who held out a loved and a disliked book, since few did."""
    is_measured = [
        bool((ratings >= LOVED).any() and (ratings <= DISLIKED).any())
        and bool(find_rows(models.als.book_ids, history)[0].any())
        for history, ratings in zip(users.histories, users.held_out_ratings, strict=True)
    ]
    measured = users.take(np.array(is_measured) & np.isin(users.user_ids, models.reader_ids))
    served, without = (_auc_of_each(models.als, measured, each) for each in (rules, unrated))
    if not served.size:
        return None
    return RatingEffect(
        served.size, _bound(served, seed), _bound(without, seed), _bound(served - without, seed)
    )


def _auc_of_each(model: AlsModel, users: EvaluationUsers, rules: ServingRules) -> F64:
    """(n,): of the readers with a pair."""
    ranked = rank_all(model, users, rules)
    found = map(auc_of_loved, ranked, users.held_out, users.held_out_ratings)
    return np.array([auc for auc in found if auc is not None])


def _bound(values: F64, seed: int) -> Interval:
    return bootstrap_mean(values, np.random.default_rng(seed))
