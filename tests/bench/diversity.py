"""What the author limit and diversity cost in recall, and what they give, measured on the inner fold.

    python -m tests.bench.diversity --catalog sqlite:////path/to/catalog.db

All lists come from one model, blended as tuning starts. Differences are to lists without either rule, over the
same readers, with 95% bootstrap intervals.
"""

import tempfile
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from catalog.database import open_database
from foundation.arrays import F64, I64, find_rows
from foundation.diversity import Traits, find_likeness, read_traits
from foundation.serving_rules import ServingRules
from foundation.tools import Tools
from pipeline.evaluation.intervals import bootstrap_mean
from pipeline.evaluation.lists import list_authors, list_subjects, serve_collaborative
from pipeline.evaluation.metrics import recall_at_k
from pipeline.evaluation.users import choose_users
from pipeline.models.fold_models import build_als
from pipeline.settings import TrainOptions
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s6_als import fit_evidence

OPTIONS = TrainOptions()
NO_LIMIT = 10
"""Books of one author in ten: as many as there can be."""
VARIANTS = {
    "neither": ServingRules(author_limit=NO_LIMIT),
    "author limit 3": ServingRules(author_limit=3),
    "author limit 2 (default)": ServingRules(author_limit=2),
    "author limit 1": ServingRules(author_limit=1),
    **{
        f"limit 2, diversity {strength}": ServingRules(diversity=strength)
        for strength in (0.1, 0.2, 0.3, 0.5)
    },
    "diversity 0.3 alone": ServingRules(author_limit=NO_LIMIT, diversity=0.3),
}


def distance(books: list[Traits]) -> float:
    """Mean over the pairs of a list of what they do not have in common."""
    pairs = list(combinations(books, 2))
    return 1 - sum(find_likeness(*pair) for pair in pairs) / len(pairs)


def n_subjects(books: list[Traits]) -> int:
    return len(frozenset().union(*(book.subjects for book in books)))


def main(
    catalog: Annotated[str, typer.Option(help="URL of a catalog that is filled already.")],
    users: Annotated[int, typer.Option(min=1, help="Readers that are measured at most.")] = 1500,
    k: Annotated[int, typer.Option(min=2)] = 10,
) -> None:
    """Print a row for each rule."""
    told = export(open_database(catalog))
    folds = split(clean(told), params=OPTIONS.split)
    fold, chosen = folds.inner, choose_users(folds.inner, folds.inner_held_out, at_most=users)
    with tempfile.TemporaryDirectory() as workspace, threadpool_limits(limits=1, user_api="blas"):
        tools = Tools(1, lambda share: None, Path(workspace))
        aggregates = aggregate(fold, params=OPTIONS.aggregate)
        evidence = fit_evidence(fold, aggregates, told, params=OPTIONS.evidence, seed=1, tools=tools)
        model = build_als(fold, evidence, {"blend": OPTIONS.ranker.start})
        subjects = list_subjects(told, ServingRules(diversity=0.1))
        authors = list_authors(model)

        def describe(lists: list[I64]) -> tuple[F64, F64]:
            traits = [
                [
                    read_traits(authors[row], subjects.get(int(book_id), frozenset()))
                    for book_id, row in zip(books, find_rows(model.book_ids, books)[1], strict=True)
                ]
                for books in lists
            ]
            return np.array([distance(each) for each in traits]), np.array(
                [n_subjects(each) for each in traits]
            )

        print(
            f"{chosen.size} readers\n| rule | recall@{k} | distance in a list | subjects of a list |\n|---|---|---|---|"
        )
        base: F64 | None = None
        for name, rules in VARIANTS.items():
            lists = serve_collaborative(model, chosen, k, rules, subjects)
            recall = recall_at_k(lists, chosen.held_out, k)
            base = recall if base is None else base
            gain = bootstrap_mean(recall - base, np.random.default_rng(1))
            apart, told_of = describe(lists)
            interval = "" if recall is base else f" ({gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}])"
            print(
                f"| {name} | {recall.mean():.4f}{interval} | {apart.mean():.3f} | {told_of.mean():.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    typer.run(main)
