"""Measures what is served beside what others would serve: the same readers, the same folds, one run."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from catalog.database import Database
from catalog.demographics import Demographics, read_demographics
from catalog.schema import check_migrated
from foundation.arrays import F64, I64
from foundation.release import RELEASE
from pipeline.comparing.bench import Bench
from pipeline.comparing.comparison import Comparison, CurvePoint, Model, Part
from pipeline.comparing.contestants import (
    EASE,
    POPULARITY,
    SERVED,
    Serve,
    choose_contestants,
    serve_most_read,
)
from pipeline.comparing.figures import TOP, Table, measure_lists, pool, summarise
from pipeline.comparing.protocols import SPLITS, Protocol, thin_readers
from pipeline.comparing.ratings import measure_ratings
from pipeline.comparing.reach import HEADS, find_shares, measure_reach, measure_read_reach
from pipeline.comparing.similar import choose_look_ups, measure_likeness
from pipeline.comparing.slices import Name, cut
from pipeline.errors import TooFewRatings, UnknownModel, UnknownSource
from pipeline.evaluation.intervals import bootstrap_mean
from pipeline.evaluation.lists import serve_collaborative
from pipeline.evaluation.metrics import coverage_at_k, novelty_at_k
from pipeline.fitting import Fitter
from pipeline.hyperparameters import settle
from pipeline.models.fold_models import build_als
from pipeline.records import Clean, Events, Export
from pipeline.settings import TrainSettings
from pipeline.stepping.cache import StepCache
from pipeline.stepping.progress import Progress, StepRun
from pipeline.stepping.stepper import STEPS, Stepper
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean

CURVE_SHARES = (0.1, 0.25, 0.5)
"""Of the readers of the train fold; the last point of a learning curve is all of them."""
OF_HISTORIES = ("warm", "fold-in", "time")
"""Protocols in which lists come from histories."""
MEASURING = len(STEPS) + 1
"""What comes after the nine steps, to whoever watches."""


@dataclass(frozen=True)
class Wanted:
    """What is to be compared."""

    protocol: Protocol = "warm"
    models: Sequence[str] = ()
    """By name; all that the protocol has without one."""
    baseline: str | None = None
    """What differences and ratios are to; EASE where it is compared, else popularity."""
    source: str | None = None
    """Only readers of this source; all of the catalog without one."""
    seeds: int = 1
    """Splits and trainings; the first is that of `bookmesh train`."""
    max_users: int = 3000
    """Readers who are measured, always the same ones."""
    with_curve: bool = False
    """Whether to measure models that learned from fewer readers too."""


@dataclass(frozen=True, eq=False)
class _Round:
    """What one seed gave."""

    bench: Bench
    table: Table
    lists: dict[str, list[I64]]
    parts: dict[Name, Table]


def compare(
    settings: TrainSettings, db: Database, wanted: Wanted, *, progress: Progress | None = None
) -> Comparison:
    """Fit to the train fold what the protocol asks for, and measure it on what was held out.

    The same catalog, settings, wanted and release give the same figures. Raises TooFewRatings, NoTimes,
    NoFavourites, UnknownModel, UnknownSource or DatabaseNotMigrated.
    """
    check_migrated(db)
    settings = settle(settings, db)
    contestants = choose_contestants(wanted.protocol, wanted.models)
    baseline = _choose_baseline(wanted, contestants)
    progress, who = progress or Progress(), read_demographics(db)
    with (
        threadpool_limits(limits=1, user_api="blas"),
        tempfile.TemporaryDirectory(prefix="bookmesh-") as workspace,
    ):
        stepper = Stepper(
            StepCache(settings.comparisons_path / wanted.protocol), progress, first_repeated=None
        )
        catalog = stepper.export(export, db)
        cleaned = stepper.run("clean", "all", clean, catalog, event_weights=settings.serving.events)
        if wanted.source is not None:
            cleaned = stepper.derive(keep_source, cleaned, who, source=wanted.source)
        fitter = Fitter(settings.train, settings.serving, stepper, Path(workspace))
        rounds = [
            _play(_set_up(fitter, catalog, cleaned, wanted, seed), contestants, who, wanted.protocol)
            for seed in range(wanted.seeds)
        ]
        first = rounds[0].bench
        is_of_readers = wanted.protocol in OF_HISTORIES and SERVED in contestants
        found = Comparison(
            protocol=wanted.protocol,
            source=wanted.source,
            release=RELEASE,
            split_id=first.folds.split_id,
            fingerprint=catalog.fingerprint,
            seeds=wanted.seeds,
            k=first.k,
            unit="look-ups" if wanted.protocol == "similar" else "readers",
            baseline=baseline,
            n_users=pool([each.table for each in rounds]).user_ids.size,
            data=_count_data(first),
            models=_sum_up_models(rounds, baseline, settings.train.seed),
            heads=list(HEADS),
            read_reach=measure_read_reach(first),
            parts=_sum_up_parts(rounds, baseline, settings.train.seed),
            curve=_measure_curve(rounds[0]) if wanted.with_curve and is_of_readers else [],
            ratings=measure_ratings(first, seed=settings.train.seed) if is_of_readers else None,
        )
        stepper.forget_unused()
    return found


def keep_source(cleaned: Clean, who: Demographics, *, source: str) -> Clean:
    """What readers of one source have read and done. Raises UnknownSource."""
    theirs = np.array([user_id for user_id, each in who.sources.items() if each == source])
    every, events = cleaned.interactions, cleaned.events
    kept = every.take(np.isin(every.user_ids, theirs))
    if not kept.size:
        raise UnknownSource(source, sorted(set(who.sources.values())))
    is_theirs = np.isin(events.user_ids, theirs)
    done = Events(events.user_ids[is_theirs], events.book_ids[is_theirs], events.weights[is_theirs])
    return Clean(kept, cleaned.report, done)


def _choose_baseline(wanted: Wanted, contestants: Mapping[str, Serve]) -> str:
    if wanted.baseline is None:
        return next(name for name in (EASE, POPULARITY, *contestants) if name in contestants)
    if wanted.baseline not in contestants:
        raise UnknownModel(wanted.baseline, wanted.protocol, list(contestants))
    return wanted.baseline


def _set_up(fitter: Fitter, catalog: Export, cleaned: Clean, wanted: Wanted, seed: int) -> Bench:
    options = fitter.options.model_copy(update={"seed": fitter.options.seed + seed})
    split = SPLITS[wanted.protocol]
    trial = fitter.stepper.derive(split, cleaned, catalog, params=options.split, seed=seed)
    users = trial.choose_users(wanted.max_users)
    if wanted.protocol == "similar":
        users = choose_look_ups(users)
    if users.size < options.split.min_users:
        raise TooFewRatings(
            found=users.size, needed=options.split.min_users, ratings_each=options.split.min_ratings
        )
    of_seed = replace(fitter, options=options, workspace=fitter.workspace / str(seed))
    return Bench(of_seed, catalog, trial, users, options.gate.k)


def _play(bench: Bench, contestants: Mapping[str, Serve], who: Demographics, protocol: Protocol) -> _Round:
    lists = {}
    for name, serve in contestants.items():
        with _telling(bench.fitter.stepper.progress, name):
            lists[name] = serve(bench)
    shares = find_shares(bench)
    values = {}
    for name, served in lists.items():
        values[name] = measure_lists(served, bench.users.held_out, bench.k)
        values[name][f"novelty@{TOP}"] = novelty_at_k(served, bench.fold.book_ids, shares, TOP)
        if protocol == "similar":
            values[name] |= measure_likeness(bench, served)
    table = Table(bench.users.user_ids, values)
    return _Round(bench, table, lists, {} if protocol == "similar" else cut(bench, table, lists, who))


@contextmanager
def _telling(progress: Progress, name: str) -> Iterator[None]:
    started = time.monotonic()
    progress.step_started(MEASURING, "lists", name)
    yield
    seconds = round(time.monotonic() - started, 3)
    progress.step_finished(StepRun(MEASURING, "lists", name, seconds, reused=False))


def _count_data(bench: Bench) -> dict[str, int]:
    fold = bench.fold
    return {
        "books": fold.book_ids.size,
        "readers": fold.user_ids.size,
        "readings": int(fold.user_items.nnz),
        "readings held out": bench.folds.held_out.size,
    }


def _sum_up_models(rounds: Sequence[_Round], baseline: str, seed: int) -> list[Model]:
    first, bench = rounds[0], rounds[0].bench
    figures = summarise(pool([each.table for each in rounds]), baseline=baseline, seed=seed)
    recall, n_shown = f"recall@{bench.k}", int(bench.fold.is_shown.sum())
    return [
        Model(
            name=name,
            figures=figures[name],
            coverage=coverage_at_k(served, n_shown, bench.k),
            reach=measure_reach(bench, served),
            recall_by_seed=[float(each.table.values[name][recall].mean()) for each in rounds],
        )
        for name, served in first.lists.items()
    ]


def _sum_up_parts(rounds: Sequence[_Round], baseline: str, seed: int) -> list[Part]:
    """Recall and NDCG of each part; those that not every round has are left out."""
    names = [name for name in rounds[0].parts if all(name in each.parts for each in rounds)]
    k, parts = rounds[0].bench.k, []
    for group, name in names:
        table = pool([each.parts[group, name] for each in rounds]).only(f"recall@{k}", f"NDCG@{TOP}")
        models = summarise(table, baseline=baseline, seed=seed)
        parts.append(Part(group, name, int(table.user_ids.size), models))
    return parts


def _measure_curve(last: _Round) -> list[CurvePoint]:
    """The last point is the round's own."""
    bench, points = last.bench, []
    own: dict[str, dict[str, F64]] = {
        name: last.table.values[name] for name in (POPULARITY, SERVED) if name in last.lists
    }
    for share in CURVE_SHARES:
        thinned = _thin(bench, share)
        lists = {POPULARITY: serve_most_read(thinned), SERVED: _serve_by_former_blend(thinned, bench)}
        values = {name: measure_lists(lists[name], bench.users.held_out, bench.k) for name in own}
        points.append(_plot(share, thinned, values))
    return [*points, _plot(1.0, bench, own)]


def _thin(bench: Bench, share: float) -> Bench:
    """The same readers measured, by models that learned from others only in part."""
    fold = bench.fitter.stepper.derive(thin_readers, bench.folds, share=share)
    trial = replace(bench.trial, folds=replace(bench.folds, train=fold))
    fitter = replace(bench.fitter, workspace=bench.fitter.workspace / f"{share:g}")
    return replace(bench, trial=trial, fitter=fitter)


def _serve_by_former_blend(thinned: Bench, bench: Bench) -> list[I64]:
    model = build_als(thinned.fold, thinned.evidence, bench.ranking.params, bench.ranking.ranker)
    return serve_collaborative(model, thinned.users, thinned.k, thinned.rules)


def _plot(share: float, bench: Bench, values: Mapping[str, Mapping[str, F64]]) -> CurvePoint:
    recall, rng = f"recall@{bench.k}", np.random.default_rng
    intervals = {name: bootstrap_mean(each[recall], rng(bench.options.seed)) for name, each in values.items()}
    return CurvePoint(share, bench.fold.user_ids.size, intervals)
