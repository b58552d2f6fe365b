"""The night's work: the nine steps in their order, and the publishing of what passes the gate."""

import tempfile
import time
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import structlog
from threadpoolctl import threadpool_limits

from artifacts.errors import ArtifactError
from artifacts.manifest import GateVerdict, Manifest
from artifacts.store import ArtifactStore
from catalog.database import Database
from catalog.schema import check_migrated
from foundation.lock import hold_lock
from foundation.release import RELEASE
from pipeline.current import Current, Recipe, open_sealed, read_recipe
from pipeline.errors import AlreadyTraining, CannotCompare
from pipeline.fitting import Fitted, Fitter
from pipeline.hyperparameters import settle
from pipeline.leakage import check_folds, leave_books
from pipeline.metrics import write_metrics
from pipeline.models.cards import build_plain_cards, name_state
from pipeline.models.fold_models import GATE_OWNER, FoldModels, build_als, build_fold_models
from pipeline.models.served import Served, open_served
from pipeline.publishing import publish
from pipeline.ranking.newcomers import NewcomerBlend
from pipeline.records import Aggregates, Export, Fold, Split, build_fold
from pipeline.refit import check_refit
from pipeline.refreshing.changes import keep_books
from pipeline.refreshing.check import check_refresh
from pipeline.refreshing.renewal import Readers, add_new_books
from pipeline.report import RunReport, write_report
from pipeline.settings import TrainSettings
from pipeline.stepping.cache import StepCache
from pipeline.stepping.code_digest import digest_code
from pipeline.stepping.progress import Progress
from pipeline.stepping.stepper import Stepper
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s7_ranker import Ranking
from pipeline.steps.s8_index import Texts, index_texts
from pipeline.steps.s9_gate import Contest, Gate, gate

log = structlog.get_logger()


def train(
    settings: TrainSettings,
    db: Database,
    store: ArtifactStore,
    *,
    from_step: str | None = None,
    accept_incomparable: bool = False,
    progress: Progress | None = None,
) -> RunReport:
    """Train, judge and, on a pass, promote a version; the report names it, or the checks that refused it.

    Results of earlier runs are reused where data, parameters and code are the same. With `from_step`, one of
    `stepper.STEPS`, that step and all after it run again, on the data that the last run exported. A current
    version that nothing can be compared with is replaced only if that is accepted. Raises AlreadyTraining,
    TooFewRatings, FoldsOverlap, DatabaseNotMigrated or StoreFull; the current version stays in any case.
    """
    check_migrated(db)
    settings = settle(settings, db)
    # Many small products, one a reader: BLAS threads would cost more than they give.
    with (
        hold_lock(settings.lock_path, AlreadyTraining),
        threadpool_limits(limits=1, user_api="blas"),
        tempfile.TemporaryDirectory(prefix="bookmesh-") as workspace,
    ):
        stepper = Stepper(StepCache(settings.steps_path), progress or Progress(), first_repeated=from_step)
        fitter = Fitter(settings.train, settings.serving, stepper, Path(workspace))
        run = _Run(settings, store, stepper, fitter, accept_incomparable)
        started_at = datetime.now(UTC)
        try:
            report = run.execute(db)
        except Exception:
            write_metrics(settings.training_metrics_path, stepper.runs, None, started_at=started_at)
            raise
        write_report(report, settings.reports_path)
        write_metrics(settings.training_metrics_path, stepper.runs, report, started_at=started_at)
    return report


@dataclass(frozen=True, eq=False)
class _Tuned:
    """What the inner fold tells."""

    ranking: Ranking
    newcomers: NewcomerBlend


@dataclass(frozen=True, eq=False)
class _Run:
    """One training run."""

    settings: TrainSettings
    store: ArtifactStore
    stepper: Stepper
    fitter: Fitter
    accept_incomparable: bool

    def execute(self, db: Database) -> RunReport:
        """All nine steps, then publishing."""
        started_at, started = datetime.now(UTC), time.monotonic()
        step, settings = self.stepper.run, self.settings.train
        exported = self.stepper.export(export, db)
        cleaned = step("clean", "all", clean, exported, event_weights=self.settings.serving.events)
        folds = step("split", "all", split, cleaned, params=settings.split)
        check_folds(folds)
        catalog = self.stepper.derive(leave_books, exported)
        inner = self.fitter.fit_inner_evidence(folds, catalog)
        of_newcomers = self.fitter.tune_newcomers(folds, inner, catalog)
        tuned = _Tuned(self.fitter.tune(folds, inner), of_newcomers)
        texts = step("index", "texts", index_texts, catalog, params=settings.index, seed=settings.seed)
        fitted = self.fitter.fit("train", folds.train, catalog, tuned.newcomers)
        candidate = self.stepper.derive(
            build_fold_models, folds, catalog, fitted.embedder, fitted.evidence,
            tuned.ranking.params, tuned.ranking.ranker, fitted.newcomers,
        )  # fmt: skip
        current = self._find_current(folds, fitted.aggregates, catalog)
        served = self._assemble(fitted, tuned, texts)
        ann_recall = {**fitted.index.ann_recall, "text": texts.ann_recall}
        judged = self._judge(Contest(candidate, served, ann_recall, current), folds, catalog)
        verdict = judged.read_verdict()
        if verdict.passed:
            everything = self.stepper.derive(build_fold, cleaned.interactions, cleaned.events)
            fitted = self.fitter.fit("all", everything, catalog, tuned.newcomers)
            refit = self._assemble(fitted, tuned, texts)
            verdict = GateVerdict.of(
                *verdict.checks, *self._check_refit(refit, served, folds, everything, catalog).checks
            )
            served = refit
            if verdict.passed:
                served = self._add_new_books(refit, fitted, catalog.shown, current.version)
        manifest = self._seal(served, candidate, verdict, catalog, folds, tuned, judged)
        if verdict.passed:
            why = "passed the gate"
            if current.version is not None and current.rival is None:
                why += f", not compared with {current.version} (--accept-incomparable)"
            publish(self.store, manifest.version, by="bookmesh train", why=why)
        self.stepper.forget_unused()
        log.info("training finished", version=manifest.version, promoted=verdict.passed)
        return RunReport(
            started_at=started_at.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - started, 1),
            version=manifest.version,
            promoted=verdict.passed,
            verdict=verdict,
            steps=tuple(self.stepper.runs),
            cleaning=cleaned.report,
            metrics=dict(manifest.metrics),
        )

    def _judge(self, contest: Contest, folds: Split, catalog: Export) -> Gate:
        settings = self.settings.train
        return self.stepper.run(
            "gate", "train", gate, contest, folds, catalog,
            params=settings.gate, evidence=settings.evidence, rules=self.settings.serving, seed=settings.seed,
            accept_incomparable=self.accept_incomparable, tools=self.fitter.tools("gate"),
        )  # fmt: skip

    def _find_current(self, folds: Split, aggregates: Aggregates, catalog: Export) -> Current:
        """The version in production as it was sealed; else its parameters, fitted to today's train fold."""
        version = self.store.current()
        if version is None:
            return Current(None, None, "no version is current: nothing to compare with")
        try:
            rival = open_sealed(self.store, version, folds)
            self.stepper.keys.remember(rival, f"version/{version}")
            return Current(version, rival, "as it was sealed")
        except CannotCompare as error:
            reason = str(error)
        try:
            rival = self._refit(read_recipe(self.store, version), folds, aggregates, catalog)
            log.warning("current version refitted to compare with it", version=version, reason=reason)
            return Current(version, rival, f"refitted on this train fold ({reason})")
        except CannotCompare as error:
            # A damaged version must not keep its own successor from being trained.
            log.warning("current version cannot be compared with", version=version, reason=str(error))
            return Current(version, None, str(error))

    def _refit(self, recipe: Recipe, folds: Split, aggregates: Aggregates, catalog: Export) -> FoldModels:
        data, fold, seed = "current", folds.train, recipe.seed
        embedder = self.fitter.learn_subjects(
            data, fold, aggregates, catalog, params=recipe.subjects, seed=seed
        )
        evidence = self.fitter.fit_evidence(
            data, fold, aggregates, catalog, params=recipe.evidence, seed=seed
        )
        newcomers = None
        if recipe.ranker is not None:
            self.stepper.keys.remember(recipe.ranker, f"version/{recipe.version}/ranker")
        if recipe.newcomers is not None:
            self.stepper.keys.remember(recipe.newcomers, f"version/{recipe.version}/newcomers")
            newcomers = self.fitter.fit_newcomers(data, fold, evidence, catalog, recipe.newcomers)
        return self.stepper.derive(
            build_fold_models, folds, catalog, embedder, evidence, recipe.blend, recipe.ranker, newcomers
        )

    def _assemble(self, fitted: Fitted, tuned: _Tuned, texts: Texts) -> Served:
        """The models of the five servers."""
        ranking = tuned.ranking
        als = self.stepper.derive(
            build_als, fitted.fold, fitted.evidence, ranking.params, ranking.ranker, fitted.newcomers
        )
        index = fitted.index
        return Served(fitted.embedder, index.similarity, als, index.metadata, texts.semantic)

    def _check_refit(
        self, refit: Served, judged: Served, folds: Split, everything: Fold, catalog: Export
    ) -> GateVerdict:
        settings = self.settings.train
        checked = self.stepper.run(
            "gate", "all", check_refit, refit, judged, folds, everything, catalog,
            params=settings.gate, evidence=settings.evidence, seed=settings.seed,
            tools=self.fitter.tools("all"),
        )  # fmt: skip
        return checked.read_verdict()

    def _add_new_books(
        self, refit: Served, fitted: Fitted, catalog: Export, former_version: str | None
    ) -> Served:
        """The refit, and the books that are newer than the first version and that hardly anybody has read."""
        if former_version is None:
            return refit
        try:
            former = open_served(self.store, self.store.manifest(former_version))
        except ArtifactError as error:
            log.warning("no book counts as new", version=former_version, error=str(error))
            return refit
        readers = Readers(fitted.fold.book_ids, fitted.aggregates.counts)
        now_s, params = int(self.store.now().timestamp()), self.settings.train.index
        served = add_new_books(refit, former, catalog, readers, params, now_s=now_s)
        checked = check_refresh(served, refit, keep_books(refit.metadata.book_ids))
        if not checked.passed:
            log.error(
                "no book counts as new", checks=[check.name for check in checked.checks if check.failed]
            )
        return served if checked.passed else refit

    def _seal(
        self,
        served: Served,
        candidate: FoldModels,
        verdict: GateVerdict,
        catalog: Export,
        folds: Split,
        tuned: _Tuned,
        judged: Gate,
    ) -> Manifest:
        draft, settings = self.store.draft(), self.settings
        for each in fields(served):
            draft.add(each.name, getattr(served, each.name))
        draft.add(GATE_OWNER, candidate)
        return draft.seal(
            split_id=folds.split_id,
            data_fingerprint=catalog.fingerprint,
            code_revision=f"{RELEASE}+{digest_code(__name__)[:12]}",
            params={
                **settings.train.model_dump(mode="json", exclude={"seed", "threads"}),
                "serving": settings.serving.model_dump(mode="json"),
            },
            seed=settings.train.seed,
            metrics={
                **judged.metrics,
                f"inner_recall_alone@{settings.train.ranker.k}": tuned.ranking.blend.alone,
                "inner_gains_of_ranker": tuned.ranking.gains,
                "has_ranker": tuned.ranking.ranker is not None,
                "blend_of_newcomers": tuned.newcomers.params["blend"],
            },
            gate=verdict,
            catalog_state=name_state(build_plain_cards(catalog.shown)),
            catalog_read_at=datetime.fromtimestamp(catalog.read_at, UTC),
        )
