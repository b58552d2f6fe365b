"""Publishes the current version's models with the books of now: no training, and none of its libraries."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import structlog
from threadpoolctl import threadpool_limits

from artifacts.manifest import GateVerdict, Manifest
from artifacts.store import ArtifactStore
from catalog.database import Database
from catalog.ratings import count_readers
from catalog.schema import check_migrated
from foundation.lock import hold_lock
from foundation.release import RELEASE
from pipeline.errors import AlreadyTraining, NothingToRefresh, RefreshRefused
from pipeline.models.cards import build_plain_cards, name_state
from pipeline.models.fold_models import GATE_OWNER
from pipeline.models.served import Served, open_served
from pipeline.publishing import publish
from pipeline.records import Export
from pipeline.refreshing.changes import compare_books
from pipeline.refreshing.check import check_refresh
from pipeline.refreshing.renewal import Readers, Today, renew
from pipeline.settings import TrainSettings
from pipeline.stepping.progress import Progress, StepRun
from pipeline.steps.s1_export import export_books
from telemetry.tracing import span

STEPS: Final = ("read", "compare", "renew", "check", "publish")
"""The parts of a refresh, in order."""

log = structlog.get_logger()


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh did."""

    version: str | None
    """What is current now; None if the current version has the books of now already."""
    refresh_of: str
    """The trained version whose models it has."""
    n_new: int = 0
    n_changed: int = 0
    n_removed: int = 0
    """Merged, withdrawn or hidden otherwise."""
    renewed: tuple[str, ...] = ()
    """Servers that have anything to load."""
    written_bytes: int = 0
    """Of objects that the version before does not have."""
    seconds: float = 0.0
    steps: tuple[StepRun, ...] = ()


def refresh(
    settings: TrainSettings, db: Database, store: ArtifactStore, *, progress: Progress | None = None
) -> RefreshReport:
    """Make a child of the current version that knows the books of now, check it, and point at it.

    Raises AlreadyTraining if a training or a refresh is under way, NothingToRefresh without a version,
    RefreshRefused if the child is not as it should be, DatabaseNotMigrated or StoreFull; the current version
    stays then.
    """
    check_migrated(db)
    with (
        hold_lock(settings.lock_path, AlreadyTraining),
        threadpool_limits(limits=1, user_api="blas"),
        tempfile.TemporaryDirectory(prefix="bookmesh-") as workspace,
    ):
        return _Refresh(settings, store, progress or Progress(), Path(workspace)).execute(db)


def is_stale(db: Database, store: ArtifactStore) -> bool:
    """Whether the current version's books are others than those of now; False without a version."""
    version = store.current()
    return version is not None and store.manifest(version).catalog_state != _read_books(db)[2]


def read_clock() -> int:
    """Seconds since 1970 UTC."""
    return int(time.time())


@dataclass(frozen=True, eq=False)
class _Refresh:
    """One refresh."""

    settings: TrainSettings
    store: ArtifactStore
    progress: Progress
    workspace: Path
    runs: list[StepRun] = field(default_factory=list)

    def execute(self, db: Database) -> RefreshReport:
        """All parts, unless the first or the second finds that there is nothing to do."""
        started = time.monotonic()
        manifest = self._read_current()
        nothing_new = RefreshReport(None, manifest.trained_version)
        with self._step("read"):
            catalog, cards, state = _read_books(db)
        if manifest.catalog_state == state:
            return nothing_new
        with self._step("compare"):
            former = open_served(self.store, manifest)
            changes = compare_books(former.metadata.cards, cards)
        if changes.is_none:
            return nothing_new
        with self._step("renew"):
            today = Today(catalog, cards, changes, _read_readers(db), read_clock())
            renewed = renew(former, today, self.settings.train.index, self.workspace / "text_index")
        with self._step("check"):
            verdict = check_refresh(renewed, former, changes)
        if not verdict.passed:
            raise RefreshRefused([check.name for check in verdict.checks if check.failed])
        with self._step("publish"):
            sealed = self._seal(renewed, former, manifest, verdict, state)
            self._promote(sealed, manifest)
        log.info("refresh finished", version=sealed.version, seconds=round(time.monotonic() - started, 3))
        return RefreshReport(
            version=sealed.version,
            refresh_of=manifest.trained_version,
            n_new=int(changes.is_new.sum()),
            n_changed=changes.n_changed,
            n_removed=changes.n_removed,
            renewed=tuple(_list_renewed(renewed, former)),
            written_bytes=_count_written(sealed, manifest),
            seconds=round(time.monotonic() - started, 3),
            steps=tuple(self.runs),
        )

    def _read_current(self) -> Manifest:
        version = self.store.current()
        if version is None:
            raise NothingToRefresh
        return self.store.manifest(version)

    def _seal(
        self, renewed: Served, former: Served, manifest: Manifest, verdict: GateVerdict, state: str
    ) -> Manifest:
        """A version of the renewed models; all that did not change is taken over without being read."""
        draft, changed = self.store.draft(), _list_renewed(renewed, former)
        draft.keep(manifest, GATE_OWNER)
        for each in fields(Served):
            if each.name in changed:
                draft.renew(manifest, each.name, getattr(former, each.name), getattr(renewed, each.name))
            else:
                draft.keep(manifest, each.name)
        # The models are those that the gate judged, and what it found of them holds on.
        judged = [check for check in manifest.gate.checks if not check.name.startswith("refresh_")]
        return draft.seal(
            split_id=manifest.split_id,
            data_fingerprint=manifest.data_fingerprint,
            code_revision=f"{RELEASE}+{manifest.code_revision.partition('+')[2]}",
            params=manifest.params,
            seed=manifest.seed,
            metrics=manifest.metrics,
            gate=GateVerdict.of(*judged, *verdict.checks),
            refresh_of=manifest.trained_version,
            catalog_state=state,
        )

    def _promote(self, sealed: Manifest, former: Manifest) -> None:
        why = f"the books of now, by the models of {sealed.refresh_of}"
        # All that the former version has too was read when its models were opened.
        publish(
            self.store, sealed.version, by="bookmesh refresh", why=why, force=not former.gate.passed,
            checked=former,
        )  # fmt: skip

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        number, started = STEPS.index(name) + 1, time.monotonic()
        self.progress.step_started(number, name, "books")
        with span(f"step {name}"):
            yield
        run = StepRun(number, name, "books", round(time.monotonic() - started, 3), reused=False)
        self.runs.append(run)
        log.info("step finished", step=name, seconds=run.seconds)
        self.progress.step_finished(run)


def _read_books(db: Database) -> tuple[Export, pa.Table, str]:
    """The books that are shown, their cards without figures of ratings, and the name of this state."""
    catalog = export_books(db).shown
    cards = build_plain_cards(catalog)
    return catalog, cards, name_state(cards)


def _read_readers(db: Database) -> Readers:
    with db.session() as session:
        counts = count_readers(session)
    book_ids = np.array(sorted(counts), dtype=np.int64)
    return Readers(book_ids, np.array([counts[book_id] for book_id in book_ids.tolist()], dtype=np.int64))


def _list_renewed(renewed: Served, former: Served) -> list[str]:
    names = [each.name for each in fields(Served)]
    return [name for name in names if getattr(renewed, name) is not getattr(former, name)]


def _count_written(sealed: Manifest, former: Manifest) -> int:
    held = {entry.digest for entry in former.objects}
    return sum({entry.digest: entry.bytes for entry in sealed.objects if entry.digest not in held}.values())
