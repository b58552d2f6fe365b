"""How often the gate would refuse a version that is as good as the current one, and what drop it refuses.

    python -m tests.bench.false_refusals --seeds 20 --resamples 1000
    python -m tests.bench.false_refusals --catalog sqlite:////path/to/catalog.db

The same data is trained on with so many seeds, by the default parameters: none of these versions is better
than another but by chance. What has no seed is the same for all, and so are blend and ranker. Each time two
of them are drawn, one to be current and one to be judged, and as many readers as there are, with replacement;
then all checks that depend on readers are made. Their means lie around what the two differ by on the readers
at hand, so that chance counts about twice, and the share of refusals is rather too high than too low.

What a check refuses: a drop of so much for every reader is refused in 90 % of the draws.
"""

import tempfile
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest
from threadpoolctl import threadpool_limits

from catalog.database import open_database
from catalog.demo.source import Demo
from evidence.als import AlsParams, build_gram, train_factors
from foundation.arrays import F64, Mask
from foundation.serving_rules import ServingRules
from pipeline.evaluation.lists import read_popularity, serve_popular
from pipeline.evaluation.metrics import recall_at_k
from pipeline.evaluation.slices import slice_by_history
from pipeline.evaluation.users import choose_users
from pipeline.fitting import Fitter
from pipeline.judging.comparison import check_floor, check_losses
from pipeline.judging.figures import MEANS, Figures, Measurer
from pipeline.judging.speed import compare_speed, measure_speed
from pipeline.leakage import leave_books
from pipeline.models.fold_models import FoldModels, build_fold_models
from pipeline.records import Export, Split
from pipeline.settings import GateParams, TrainOptions
from pipeline.stepping.cache import StepCache
from pipeline.stepping.progress import Progress
from pipeline.stepping.stepper import Stepper
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from telemetry.logs import configure_logging
from tests.bench.learned_evidence import make_up

RULES, OPTIONS = ServingRules(), TrainOptions()
N_SPEEDS = 10
"""Pairs whose speeds are compared."""


@dataclass(frozen=True)
class Versions:
    """What versions of several seeds do for the same readers."""

    figures: list[Figures]
    popularity: F64
    slices: dict[str, Mask]
    speeds: list[float]
    """The candidate's share of the rival's, of versions that do the same work."""


class Trainer:
    """Trains versions that differ by their seed alone: what has none is fitted once."""

    def __init__(self, exported: Export, folds: Split, folder: Path) -> None:
        stepper = Stepper(StepCache(folder / "steps"), Progress(), first_repeated=None)
        for name, result in (("export", exported), ("split", folds)):
            stepper.keys.remember(result, name)
        self.fitter = Fitter(OPTIONS, RULES, stepper, folder)
        self.folds, self.catalog = folds, stepper.derive(leave_books, exported)
        self.aggregates = self.fitter.aggregate("train", folds.train)
        self.evidence = self.fitter.fit_evidence("train", folds.train, self.aggregates, self.catalog)
        inner = self.fitter.fit_inner_evidence(folds, self.catalog)
        self.ranking = self.fitter.tune(folds, inner)
        self.of_newcomers = self.fitter.tune_newcomers(folds, inner, self.catalog)

    def train(self, seed: int) -> FoldModels:
        """The models of the train fold by this seed."""
        fold, catalog = self.folds.train, self.catalog
        params = AlsParams.model_validate(OPTIONS.evidence.model_dump()["als"])
        _, factors = train_factors(
            fold.evidence, params=params, seed=seed, threads=1, advance=lambda share: None
        )
        gram = build_gram(factors, params.regularization)
        als = replace(self.evidence.als, item_factors=factors, gram=gram)
        embedder = self.fitter.learn_subjects("train", fold, self.aggregates, catalog, seed=seed)
        evidence = replace(self.evidence, als=als)
        self.fitter.stepper.keys.remember(evidence, f"evidence of seed {seed}")
        newcomers = self.fitter.fit_newcomers("train", fold, evidence, catalog, self.of_newcomers)
        ranking = self.ranking
        return build_fold_models(
            self.folds, catalog, embedder, evidence, ranking.params, ranking.ranker, newcomers
        )


def measure(exported: Export, n_seeds: int, folder: Path) -> Versions:
    """Train by each seed, and serve the readers that the gate would."""
    folds = split(clean(exported), params=OPTIONS.split)
    users = choose_users(folds.train, folds.held_out, at_most=OPTIONS.gate.max_users)
    trainer, k = Trainer(exported, folds, folder), OPTIONS.gate.k
    measurer = Measurer(users, folds.train, trainer.catalog, k, RULES)
    figures: list[Figures] = []
    speeds: list[float] = []
    first = trainer.train(0)
    for seed in range(1, n_seeds + 1):
        models = trainer.train(seed)
        figures.append(measurer.measure(models))
        if len(speeds) < N_SPEEDS:
            speeds.append(compare_speed(*measure_speed(models.als, first.als, users, k, RULES)))
        print(
            f"seed {seed}:", *(f"{np.nanmean(getattr(figures[-1], name)):.4f}" for name in MEANS), flush=True
        )
    popular = serve_popular(first.als.book_ids, read_popularity(first.als), users, k)
    return Versions(figures, recall_at_k(popular, users.held_out, k), dict(slice_by_history(users)), speeds)


def draw_refusals(versions: Versions, params: GateParams, n_draws: int) -> dict[str, tuple[int, int, F64]]:
    """Of each check how often it refused and was judged, and how far above its bound it was; `any` of all."""
    rng = np.random.default_rng(1)
    refused: dict[str, int] = defaultdict(int)
    spare: dict[str, list[float]] = defaultdict(list)
    n_users = versions.popularity.size
    for trial in range(n_draws):
        rows = rng.integers(n_users, size=n_users)
        ours, theirs = rng.choice(len(versions.figures), 2, replace=False)
        candidate, rival = (versions.figures[each].take(rows) for each in (ours, theirs))
        slices = {name: mask[rows] for name, mask in versions.slices.items()}
        checks = [
            *check_floor(candidate.recall, versions.popularity[rows], slices, params, trial),
            *check_losses(candidate, rival, slices, params, trial, against="another seed"),
        ]
        for check in checks:
            if check.value is not None and check.threshold is not None and not check.skipped:
                refused[check.name] += check.failed
                spare[check.name].append(check.value - check.threshold)
        refused["any"] += any(check.failed for check in checks)
    found = {name: (refused[name], len(each), np.array(each)) for name, each in spare.items()}
    return {**found, "any": (refused["any"], n_draws, np.empty(0))}


def print_table(title: str, found: dict[str, tuple[int, int, F64]]) -> None:
    """Shares of refusals with the upper end of their 95 % interval, and the drop that is surely refused."""
    table = Table("check", "judged", "refused", "share", "at most", "drop refused in 90 %", title=title)
    for name, (n_refused, n_judged, spare) in found.items():
        most = binomtest(n_refused, n_judged).proportion_ci(0.95).high
        drop = f"{np.quantile(spare, 0.9):.4f}" if "_over_current" in name else "-"
        table.add_row(
            name, f"{n_judged:,}", str(n_refused), f"{n_refused / n_judged:.2%}", f"{most:.2%}", drop
        )
    Console(width=120).print(table)


def main(
    seeds: Annotated[int, typer.Option(min=2, help="Versions that are trained.")] = 20,
    resamples: Annotated[int, typer.Option(min=1, help="Draws of two versions and of readers.")] = 1000,
    catalog: Annotated[str | None, typer.Option(help="URL of a catalog that is filled already.")] = None,
) -> None:
    """Print how often a version that is as good would be refused, and by which check."""
    if catalog is None:
        title, exported = "demo", make_up(Demo())
    else:
        title = catalog.rsplit("/", 2)[-2]
        with closing(open_database(catalog)) as db:
            exported = export(db)
    configure_logging("bench", level="warning")
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(limits=1, user_api="blas"):
        versions = measure(exported, seeds, Path(folder))
    print_table(f"{title}, {seeds} seeds", draw_refusals(versions, OPTIONS.gate, resamples))
    low, high = min(versions.speeds), max(versions.speeds)
    print(f"speed, as a share of that of an equal version: {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    typer.run(main)
