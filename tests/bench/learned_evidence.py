"""How surely the gate tells honest models from those of shuffled labels, by several statistics.

    python -m tests.bench.learned_evidence --seeds 20
    python -m tests.bench.learned_evidence --catalog sqlite:////path/to/catalog.db

Without a catalog: so many seeds each of the demo and of a generated catalog of 5,000 books with about four
ratings a reader. Every model is that of a train fold, by the default parameters and the blend that tuning
starts from. What is printed is in standard errors; the gate's own statistic is the first one.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from catalog.database import open_database
from catalog.demo.source import Demo
from catalog.importing import import_source
from foundation.arrays import F32, F64
from foundation.tools import Tools
from pipeline.evaluation.learned import list_differences, standardise
from pipeline.evaluation.users import choose_users
from pipeline.records import Clean, Export, Interactions
from pipeline.settings import TrainOptions
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s6_als import fit_evidence
from servers.als.model import AlsModel

OPTIONS = TrainOptions()


def mean_difference(differences: list[F32]) -> F64:
    return np.array([each.mean() for each in differences])


def one_other(differences: list[F32]) -> F64:
    """As if each reader were compared with one other instead of four."""
    return np.array([each[0] for each in differences])


def mean_sign(differences: list[F32]) -> F64:
    return np.array([np.sign(each).mean() for each in differences])


def signed_rank(differences: list[F32]) -> F64:
    """Wilcoxon's: how a reader's mean difference ranks by size, with its sign."""
    means = mean_difference(differences)
    return np.asarray(np.sign(means) * rankdata(np.abs(means)))


STATISTICS: dict[str, Callable[[list[F32]], F64]] = {
    "mean difference": mean_difference,
    "one other": one_other,
    "sign": mean_sign,
    "signed rank": signed_rank,
}


def shuffle_labels(cleaned: Clean, rng: np.random.Generator) -> Clean:
    """The same readers with as many ratings and the same books as often, but who read what is chance."""
    read = cleaned.interactions
    pairs = np.stack([read.user_ids, rng.permutation(read.book_ids)], axis=1)
    distinct, first = np.unique(pairs, axis=0, return_index=True)
    return Clean(Interactions(distinct[:, 0], distinct[:, 1], read.ratings[first]), cleaned.report)


def standardised(catalog: Export, cleaned: Clean) -> dict[str, float]:
    """Each statistic of the models that are fitted to the train fold."""
    folds = split(cleaned, params=OPTIONS.split)
    aggregates = aggregate(folds.train, params=OPTIONS.aggregate)
    # As in training: BLAS threads would cost more than they give.
    with tempfile.TemporaryDirectory() as workspace, threadpool_limits(limits=1, user_api="blas"):
        tools = Tools(1, lambda share: None, Path(workspace))
        evidence = fit_evidence(
            folds.train, aggregates, catalog, params=OPTIONS.evidence, seed=OPTIONS.seed, tools=tools
        )
        model = AlsModel(folds.train.book_ids, evidence, {"blend": OPTIONS.ranker.start})
        users = choose_users(folds.train, folds.held_out, at_most=OPTIONS.gate.max_users)
        differences = [each for each in list_differences(model, users) if each.size]
    return {name: standardise(statistic(differences)) for name, statistic in STATISTICS.items()}


def make_up(source: Demo) -> Export:
    """The catalog of a source, imported as ever."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(open_database(f"sqlite:///{folder}/catalog.db")) as db,
    ):
        import_source(db, source)
        return export(db)


def list_catalogs(url: str | None, seeds: int) -> Iterator[tuple[str, int, Export]]:
    """Each catalog with its name and seed."""
    if url is not None:
        yield url.rsplit("/", 2)[-2], 1, export(open_database(url))
        return
    for seed in range(1, seeds + 1):
        yield "demo", seed, make_up(Demo(seed=seed))
    for seed in range(1, seeds + 1):
        yield "5,000 books", seed, make_up(Demo(books=5_000, users=6_000, ratings=24_000, seed=seed))


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Catalogs of each kind.")] = 20,
    catalog: Annotated[str | None, typer.Option(help="URL of a catalog that is filled already.")] = None,
) -> None:
    """Print how the statistics of honest and of shuffled labels are spread."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for name, seed, exported in list_catalogs(catalog, seeds):
        honest = clean(exported)
        shuffled = shuffle_labels(honest, np.random.default_rng(seed))
        for labels, cleaned in (("honest", honest), ("shuffled", shuffled)):
            values = standardised(exported, cleaned)
            print(name, seed, labels, {each: round(value, 2) for each, value in values.items()}, flush=True)
            for statistic, value in values.items():
                found.setdefault((name, statistic, labels), []).append(value)
    table = Table("catalog", "statistic", "labels", "lowest", "median", "highest", "deviation")
    for key, each in found.items():
        spread = np.min(each), np.median(each), np.max(each), np.std(each)
        table.add_row(*key, *(f"{figure:.2f}" for figure in spread))
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
