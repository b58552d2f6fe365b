"""Searches for hyper-parameters on the inner fold alone: what is held out of training is never looked at."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from threadpoolctl import threadpool_limits

from catalog.database import Database
from catalog.demographics import find_main_source
from catalog.schema import check_migrated
from evidence.kind import TrainingData, read_history
from evidence.registry import Evidence, EvidenceParams
from foundation.arrays import F64, I64
from foundation.lock import hold_lock
from foundation.release import RELEASE
from foundation.settings import Searched
from foundation.tools import Tools
from pipeline.errors import AlreadyTraining, TooFewRatings, UnknownKind
from pipeline.evaluation.baselines import serve_scores
from pipeline.evaluation.metrics import NDCG_K, ndcg_at_k, recall_at_k
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.fitting import Fitter
from pipeline.hyperparameters import Hyperparameters, Search, find_parameters, settle
from pipeline.records import Export, Fold, Split
from pipeline.settings import TrainSettings
from pipeline.stepping.cache import StepCache
from pipeline.stepping.progress import Progress, StepRun
from pipeline.stepping.stepper import STEPS, Stepper
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s6_als import collect_data

SEARCHING: Final = len(STEPS) + 1
"""What comes after the nine steps, to whoever watches."""

Params = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class _Bench:
    """The inner fold, and who is measured on it."""

    fitter: Fitter
    catalog: Export
    folds: Split
    data: TrainingData
    users: EvaluationUsers

    @property
    def fold(self) -> Fold:
        return self.folds.inner


def list_searched() -> dict[str, dict[str, Searched]]:
    """By kind of evidence the parameters that are searched, and between which values."""
    found = {
        kind: {
            name: mark
            for name, field in type(params).model_fields.items()
            for mark in field.metadata
            if isinstance(mark, Searched)
        }
        for kind, params in EvidenceParams()
    }
    return {kind: marks for kind, marks in found.items() if marks}


def tune(
    settings: TrainSettings,
    db: Database,
    *,
    n_trials: int,
    kinds: Sequence[str] = (),
    progress: Progress | None = None,
) -> Hyperparameters:
    """Search for the parameters of these kinds of evidence, each alone; all that are searched without a name.

    Trials of earlier runs on the same catalog count among n_trials. Raises AlreadyTraining, TooFewRatings,
    UnknownKind or DatabaseNotMigrated.
    """
    check_migrated(db)
    if unknown := [kind for kind in kinds if kind not in list_searched()]:
        raise UnknownKind(unknown[0], list(list_searched()))
    settings, source = settle(settings, db), find_main_source(db) or ""
    with (
        hold_lock(settings.lock_path, AlreadyTraining),
        threadpool_limits(limits=1, user_api="blas"),
        tempfile.TemporaryDirectory(prefix="bookmesh-") as workspace,
    ):
        stepper = Stepper(
            StepCache(settings.tuning_path / "steps"), progress or Progress(), first_repeated=None
        )
        fitter = Fitter(settings.train, settings.serving, stepper, Path(workspace))
        bench = _set_up(settings, fitter, db)
        found: dict[str, Params] = {}
        searches: dict[str, Search] = {}
        for kind in kinds or list_searched():
            study = _open_study(settings, f"{source}/{kind}/{bench.catalog.fingerprint[:12]}")
            _search(study, bench, kind, n_trials)
            found[kind] = study.best_params
            searches[kind] = _describe(study)
        evidence = _merge(settings.train.evidence, found)
        recalls = [_blend_recall(bench, params) for params in (settings.train.evidence, evidence)]
    known = find_parameters(settings.tuning_path, source)
    if known is not None:
        found = {**known.evidence.model_dump(exclude_unset=True), **found}
        searches = {**known.searches, **searches}
    return Hyperparameters(
        source=source,
        release=RELEASE,
        evidence=EvidenceParams.model_validate(found),
        searches=searches,
        default_blend_recall=round(recalls[0], 4),
        blend_recall=round(recalls[1], 4),
    )


def _set_up(settings: TrainSettings, fitter: Fitter, db: Database) -> _Bench:
    stepper, options = fitter.stepper, settings.train
    catalog = stepper.export(export, db)
    cleaned = stepper.run("clean", "all", clean, catalog, event_weights=settings.serving.events)
    folds = stepper.derive(split, cleaned, params=options.split)
    users = choose_users(folds.inner, folds.inner_held_out, at_most=options.ranker.max_users)
    if users.size < options.split.min_users:
        raise TooFewRatings(
            found=users.size, needed=options.split.min_users, ratings_each=options.split.min_ratings
        )
    data = collect_data(folds.inner, fitter.aggregate("inner", folds.inner), catalog)
    return _Bench(fitter, catalog, folds, data, users)


def _open_study(settings: TrainSettings, name: str) -> optuna.Study:
    """The study of this name; what is found is as good on every run, not the same after a break."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    settings.tuning_path.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(settings.tuning_path / "studies.log")))
    sampler = optuna.samplers.TPESampler(seed=settings.train.seed)
    return optuna.create_study(
        study_name=name, storage=storage, sampler=sampler, direction="maximize", load_if_exists=True
    )


def _search(study: optuna.Study, bench: _Bench, kind: str, n_trials: int) -> None:
    """Up to so many trials, those of earlier runs included; the first is what training would use."""
    progress, marks = bench.fitter.stepper.progress, list_searched()[kind]
    params = getattr(bench.fitter.options.evidence, kind)
    study.enqueue_trial({name: getattr(params, name) for name in marks}, skip_if_exists=True)
    started = time.monotonic()
    progress.step_started(SEARCHING, "tune", kind)
    while (n_done := len(study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]))) < n_trials:
        progress.step_advanced(n_done / n_trials)
        study.optimize(partial(_try, bench=bench, kind=kind, marks=marks), n_trials=1)
    progress.step_finished(
        StepRun(SEARCHING, "tune", kind, round(time.monotonic() - started, 1), reused=False)
    )


def _try(trial: optuna.Trial, *, bench: _Bench, kind: str, marks: Mapping[str, Searched]) -> float:
    """recall@k + NDCG@10 of one kind alone, as the blend is tuned to."""
    chosen = {name: _suggest(trial, name, mark, kind) for name, mark in marks.items()}
    options = bench.fitter.options
    params = _merge(options.evidence, {kind: chosen})
    tools = Tools(options.threads, lambda share: None, bench.fitter.workspace / "tune")
    model = Evidence.classes()[kind].fit(bench.data, getattr(params, kind), seed=options.seed, tools=tools)

    def score(item_idx: I64) -> F64:
        history = read_history(bench.fold.book_ids, bench.fold.book_ids[item_idx], [None] * item_idx.size)
        return model.score(history).scores.astype("float64")

    k = options.ranker.k
    lists = serve_scores(bench.fold, bench.users, k, score)
    recall = recall_at_k(lists, bench.users.held_out, k).mean()
    return float(recall + ndcg_at_k(lists, bench.users.held_out, NDCG_K).mean())


def _suggest(trial: optuna.Trial, name: str, mark: Searched, kind: str) -> float:
    default = getattr(getattr(EvidenceParams(), kind), name)
    if isinstance(default, int):
        return trial.suggest_int(name, int(mark.low), int(mark.high), log=mark.log)
    return trial.suggest_float(name, mark.low, mark.high, log=mark.log)


def _describe(study: optuna.Study) -> Search:
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return Search(
        study=study.study_name,
        trials=len(complete),
        value=round(study.best_value, 4),
        default_value=round(complete[0].values[0], 4),
    )


def _merge(params: EvidenceParams, found: Mapping[str, Params]) -> EvidenceParams:
    """All parameters, with those found in their places."""
    merged = params.model_dump()
    for kind, values in found.items():
        merged[kind] |= values
    return type(params).model_validate(merged)


def _blend_recall(bench: _Bench, evidence: EvidenceParams) -> float:
    """recall@k on the inner fold of all kinds together, their weights tuned."""
    options = bench.fitter.options.model_copy(update={"evidence": evidence})
    fitter = Fitter(options, bench.fitter.rules, bench.fitter.stepper, bench.fitter.workspace)
    return fitter.tune(bench.folds, fitter.fit_inner_evidence(bench.folds, bench.catalog)).blend.recall
