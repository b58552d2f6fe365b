"""The night's work: the nine steps in their order, and the publishing of what passes the gate."""

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from threadpoolctl import threadpool_limits

from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest
from artifacts.release import RELEASE
from artifacts.store import ArtifactStore
from catalog.database import Database, check_migrated
from pipeline.cache import Kept, StepCache
from pipeline.code_digest import digest_code
from pipeline.interactions import Fold, build_fold
from pipeline.lock import hold_lock
from pipeline.models.fold_models import GATE_OWNER, FoldModels, build_fold_models
from pipeline.models.ranking import build_als_model
from pipeline.progress import Progress, Silent
from pipeline.report import RunReport, write_report
from pipeline.settings import TrainSettings
from pipeline.stepper import Stepper
from pipeline.steps.s1_export import Export, export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import Split, split
from pipeline.steps.s4_aggregate import Aggregates, aggregate
from pipeline.steps.s5_subjects import Subjects, learn_subjects
from pipeline.steps.s6_als import Als, learn_als
from pipeline.steps.s7_ranker import Blend, tune_blend
from pipeline.steps.s8_index import Index, Texts, index_books, index_texts
from pipeline.steps.s9_gate import Gate, gate

log = structlog.get_logger()


def train(
    settings: TrainSettings,
    db: Database,
    store: ArtifactStore,
    *,
    from_step: str | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Train, judge and, on a pass, promote a version; the report names it, or the checks that refused it.

    Results of earlier runs are reused where data, parameters and code are the same. With `from_step`, one of
    `stepper.STEPS`, that step and all after it run again, on the data that the last run exported. Raises
    AlreadyTraining, TooFewRatings, DatabaseNotMigrated or StoreFull; the current version stays in any case.
    """
    check_migrated(db)
    # Many small products, one a reader: BLAS threads would cost more than they give.
    with (
        hold_lock(settings.lock_path),
        threadpool_limits(limits=1, user_api="blas"),
        tempfile.TemporaryDirectory(prefix="bookmesh-") as workspace,
    ):
        stepper = Stepper(StepCache(settings.steps_path), progress or Silent(), first_repeated=from_step)
        report = _Run(settings, store, stepper, Path(workspace)).execute(db)
        write_report(report, settings.reports_path)
    return report


@dataclass(frozen=True, eq=False)
class _Fitted:
    """What steps 4 to 8 leave on one set of interactions."""

    fold: Kept[Fold]
    aggregates: Kept[Aggregates]
    subjects: Kept[Subjects]
    als: Kept[Als]
    index: Kept[Index]


class _Run:
    """One training run."""

    def __init__(
        self, settings: TrainSettings, store: ArtifactStore, stepper: Stepper, workspace: Path
    ) -> None:
        self.settings, self.store, self.stepper, self.workspace = settings, store, stepper, workspace

    def execute(self, db: Database) -> RunReport:
        """All nine steps, then publishing."""
        started_at, started = datetime.now(UTC), time.monotonic()
        step, settings = self.stepper.run, self.settings.train
        exported = self.stepper.export(export, db, lambda found: found.fingerprint)
        cleaned = step("clean", "all", clean, exported)
        folds = step("split", "all", split, cleaned, params=settings.split)
        blend = self._tune(exported, folds)
        texts = step("index", "texts", index_texts, exported, params=settings.index, seed=settings.seed)
        candidate = self._fit("train", exported, folds.part("train", lambda found: found.train))
        judged = self._judge(exported, folds, candidate, blend, texts)
        verdict = judged.value.read_verdict()
        everything = cleaned.part("everything", lambda found: build_fold(found.interactions))
        served = self._fit("all", exported, everything) if verdict.passed else candidate
        records = self._gather(folds.value, exported.value, candidate, served, blend.value, texts.value)
        manifest = self._seal(records, exported, folds, judged)
        if verdict.passed:
            self.store.promote(manifest.version, by="bookmesh train", why="passed the gate")
            self._collect_garbage()
        self.stepper.forget_unused()
        log.info("training finished", version=manifest.version, promoted=verdict.passed)
        return RunReport(
            started_at=started_at.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - started, 1),
            version=manifest.version,
            promoted=verdict.passed,
            verdict=verdict,
            steps=tuple(self.stepper.runs),
            cleaning=cleaned.value.report,
            metrics=dict(manifest.metrics),
        )

    def _collect_garbage(self) -> None:
        """Remove versions that nobody needs any more; the new one is in place whether that works or not."""
        try:
            self.store.gc()
        except ArtifactError as error:
            log.warning("old versions stay, remove them with `bookmesh versions gc`", error=str(error))

    def _tune(self, exported: Kept[Export], folds: Kept[Split]) -> Kept[Blend]:
        """Steps 4, 6 and 7 on the inner fold."""
        settings, data = self.settings.train, "inner"
        fold = folds.part("inner", lambda found: found.inner)
        held_out = folds.part("inner_held_out", lambda found: found.inner_held_out)
        aggregates = self.stepper.run("aggregate", data, aggregate, fold, params=settings.aggregate)
        als = self._learn_als(data, fold)
        return self.stepper.run(
            "ranker", data, tune_blend, fold, held_out, aggregates, als, exported,
            params=settings.ranker, tools={"advance": self.stepper.progress.step_advanced},
        )  # fmt: skip

    def _fit(self, data: str, exported: Kept[Export], fold: Kept[Fold]) -> _Fitted:
        """Steps 4, 5, 6 and 8 on one set of interactions."""
        settings, step = self.settings.train, self.stepper.run
        aggregates = step("aggregate", data, aggregate, fold, params=settings.aggregate)
        subjects = step(
            "subjects", data, learn_subjects, fold, aggregates, exported,
            params=settings.subjects, seed=settings.seed,
            tools={"advance": self.stepper.progress.step_advanced},
        )  # fmt: skip
        als = self._learn_als(data, fold)
        index = step(
            "index", data, index_books, fold, aggregates, subjects, als, exported,
            params=settings.index, seed=settings.seed, tools={"workspace": self.workspace / data},
        )  # fmt: skip
        return _Fitted(fold, aggregates, subjects, als, index)

    def _learn_als(self, data: str, fold: Kept[Fold]) -> Kept[Als]:
        settings = self.settings.train
        return self.stepper.run(
            "als", data, learn_als, fold,
            params=settings.als, seed=settings.seed,
            tools={"threads": settings.threads, "advance": self.stepper.progress.step_advanced},
        )  # fmt: skip

    def _judge(
        self,
        exported: Kept[Export],
        folds: Kept[Split],
        fitted: _Fitted,
        blend: Kept[Blend],
        texts: Kept[Texts],
    ) -> Kept[Gate]:
        settings = self.settings
        current = self._load_current(folds.value.split_id)
        serving = Kept(settings.serving, settings.serving.model_dump_json())
        return self.stepper.run(
            "gate", "train", gate,
            folds, exported, fitted.aggregates, fitted.subjects, fitted.als, blend,
            fitted.index, texts, current, serving,
            params=settings.train.gate, seed=settings.train.seed,
        )  # fmt: skip

    def _load_current(self, split_id: str) -> Kept[FoldModels | None]:
        """The fold models of the version in production; None if they cannot be compared with."""
        version = self.store.current()
        if version is None:
            return Kept(None, "no current version")
        try:
            manifest = self.store.manifest(version)
            if manifest.split_id != split_id:
                return Kept(None, "no current version with these folds")
            return Kept(self.store.load(manifest, GATE_OWNER, FoldModels).record, f"version/{version}")
        except ArtifactError as error:
            # A damaged version must not keep its own successor from being trained.
            log.warning("current version cannot be compared with", version=version, error=str(error))
            return Kept(None, "current version damaged")

    def _gather(
        self, folds: Split, catalog: Export, candidate: _Fitted, served: _Fitted, blend: Blend, texts: Texts
    ) -> dict[str, object]:
        """Each owner's record: the servers' models, and the fold's for the gates of the nights to come."""
        return {
            "embedder": served.subjects.value.embedder,
            "similarity": served.index.value.similarity,
            "als": build_als_model(
                served.fold.value, served.als.value, served.aggregates.value, catalog, blend.weights
            ),
            "metadata": served.index.value.metadata,
            "semantic": texts.semantic,
            GATE_OWNER: build_fold_models(
                folds,
                catalog,
                candidate.aggregates.value,
                candidate.subjects.value,
                candidate.als.value,
                blend,
            ),
        }

    def _seal(
        self, records: dict[str, object], exported: Kept[Export], folds: Kept[Split], judged: Kept[Gate]
    ) -> Manifest:
        draft, settings = self.store.draft(), self.settings
        for owner, record in records.items():
            draft.add(owner, record)
        return draft.seal(
            split_id=folds.value.split_id,
            data_fingerprint=exported.value.fingerprint,
            code_revision=f"{RELEASE}+{digest_code(__name__)[:12]}",
            params={
                **settings.train.model_dump(mode="json", exclude={"seed", "threads"}),
                "serving": settings.serving.model_dump(mode="json"),
            },
            seed=settings.train.seed,
            metrics=judged.value.metrics,
            gate=judged.value.read_verdict(),
        )
