"""What the author limit and diversity cost in recall, and what they give, measured on the inner fold.

    python -m tests.bench.diversity --catalog sqlite:////path/to/catalog.db

All lists come from one model, blended as tuning starts. Differences are to lists without either rule, over
the same readers, with 95% bootstrap intervals.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from catalog.database import open_database
from foundation.arrays import I64, find_rows
from foundation.diversity import Traits, find_likeness, read_traits
from foundation.serving_rules import ServingRules
from foundation.tools import Tools
from pipeline.evaluation.intervals import bootstrap_mean
from pipeline.evaluation.lists import SubjectsOf, list_authors, list_subjects, serve_collaborative
from pipeline.evaluation.metrics import recall_at_k
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.fold_models import build_als
from pipeline.settings import TrainOptions
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s6_als import fit_evidence
from servers.als.model import AlsModel

OPTIONS = TrainOptions()
NO_LIMIT = 10
"""Books of one author in ten: as many as there can be."""
VARIANTS = {
    "neither": ServingRules(author_limit=NO_LIMIT),
    "author limit 3": ServingRules(author_limit=3),
    "author limit 2": ServingRules(author_limit=2),
    "author limit 1": ServingRules(author_limit=1),
    "author limit 2, diversity 0.1": ServingRules(author_limit=2, diversity=0.1),
    "author limit 2, diversity 0.2": ServingRules(author_limit=2, diversity=0.2),
    "author limit 2, diversity 0.3": ServingRules(author_limit=2, diversity=0.3),
    "author limit 2, diversity 0.5": ServingRules(author_limit=2, diversity=0.5),
    "diversity 0.3": ServingRules(author_limit=NO_LIMIT, diversity=0.3),
}


@dataclass(frozen=True, eq=False)
class Bench:
    """One model, and who is served by it."""

    model: AlsModel
    users: EvaluationUsers
    subjects: SubjectsOf


def read_bench(url: str, n_users: int) -> Bench:
    """Fit everything to the inner fold."""
    catalog = export(open_database(url))
    folds = split(clean(catalog), params=OPTIONS.split)
    aggregates = aggregate(folds.inner, params=OPTIONS.aggregate)
    with tempfile.TemporaryDirectory() as workspace, threadpool_limits(limits=1, user_api="blas"):
        tools = Tools(1, lambda share: None, Path(workspace))
        evidence = fit_evidence(
            folds.inner, aggregates, catalog, params=OPTIONS.evidence, seed=OPTIONS.seed, tools=tools
        )
    return Bench(
        model=build_als(folds.inner, evidence, {"blend": OPTIONS.ranker.start}),
        users=choose_users(folds.inner, folds.inner_held_out, at_most=n_users),
        subjects=list_subjects(catalog, ServingRules(diversity=0.1)),
    )


def list_rows(bench: Bench, k: int) -> Iterator[str]:
    """The table, a row for each rule."""
    yield f"| {bench.users.size:,} readers | recall@{k} | distance in a list | subjects of a list |"
    yield "|---|---|---|---|"
    base = None
    for name, rules in VARIANTS.items():
        lists = serve_collaborative(bench.model, bench.users, k, rules, bench.subjects)
        recall = recall_at_k(lists, bench.users.held_out, k)
        base = recall if base is None else base
        gain = bootstrap_mean(recall - base, np.random.default_rng(1))
        interval = "" if recall is base else f" ({gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}])"
        traits = list(describe(bench, lists))
        apart = np.mean([distance(books) for books in traits])
        n_subjects = np.mean([len(frozenset().union(*(book.subjects for book in books))) for books in traits])
        yield f"| {name} | {recall.mean():.4f}{interval} | {apart:.3f} | {n_subjects:.1f} |"


def describe(bench: Bench, lists: list[I64]) -> Iterator[list[Traits]]:
    """The traits of each list's books."""
    authors = list_authors(bench.model)
    for books in lists:
        rows = find_rows(bench.model.book_ids, books)[1]
        yield [
            read_traits(authors[row], bench.subjects.get(int(book_id), frozenset()))
            for book_id, row in zip(books, rows, strict=True)
        ]


def distance(books: list[Traits]) -> float:
    """Mean over the pairs of a list of what they do not have in common."""
    return 1 - float(np.mean([find_likeness(*pair) for pair in combinations(books, 2)]))


def main(
    catalog: Annotated[str, typer.Option(help="URL of a catalog that is filled already.")],
    users: Annotated[int, typer.Option(min=1, help="Readers that are measured at most.")] = 1500,
    k: Annotated[int, typer.Option(min=2)] = 10,
) -> None:
    """Print a row for each rule."""
    for row in list_rows(read_bench(catalog, users), k):
        print(row, flush=True)


if __name__ == "__main__":
    typer.run(main)
