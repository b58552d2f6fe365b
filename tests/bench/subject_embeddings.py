"""What each strategy and each loss of the subject embeddings adds, measured on the inner fold.

    python -m tests.bench.subject_embeddings --catalog sqlite:////path/to/catalog.db

Every variant is trained on the train fold without the inner one, by the default parameters but for what its
name says. Differences are to the first variant, over the same readers, with 95% bootstrap intervals.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from catalog.database import open_database
from foundation.arrays import F32, F64, find_rows, top_k
from foundation.tools import Tools
from pipeline.evaluation.cold import tell_favourites
from pipeline.evaluation.intervals import bootstrap_mean
from pipeline.evaluation.lists import serve_popular
from pipeline.evaluation.metrics import recall_at_k
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.models.subject_sets import SubjectSets, collect_subject_sets
from pipeline.models.vector_index import pool_books
from pipeline.records import Aggregates, Export, Split
from pipeline.settings import SubjectsParams, TrainOptions
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s5_subjects import learn_subjects
from servers.embedder.model import EmbedderModel
from servers.errors import NoKnownSubjects
from tests.bench.neighbourhoods import SimilarFigures, measure_similar

OPTIONS = TrainOptions()
K = 30
N_NEAREST = 5
"""Subjects nearest to one."""
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Of popularity in the lists of new readers: of each variant the best counts."""
ALONE = {"ranking_weight": 0.0, "rating_weight": 0.0, "contrastive_weight": 0.0, "co_occurrence_weight": 0.0}
BEFORE: dict[str, object] = {"co_occurrence_weight": 0.0}
VARIANTS: dict[str, dict[str, object]] = {
    "per dimension; ranking, rating, co-reading": BEFORE,
    "the same and co-occurrence: ships": {},
    "scalar attention": {**BEFORE, "strategy": "scalar"},
    "transformer": {**BEFORE, "strategy": "transformer"},
    "without authors": {**BEFORE, "n_authors": 0},
    "ranking alone": {**ALONE, "ranking_weight": 1.0},
    "rating regression alone": {**ALONE, "rating_weight": 1.0},
    "co-reading alone": {**ALONE, "contrastive_weight": 1.0},
    "co-occurrence alone": {**ALONE, "co_occurrence_weight": 1.0},
    "ranking + rating": {**ALONE, "ranking_weight": 1.0, "rating_weight": 0.1},
    "ranking + co-reading": {**ALONE, "ranking_weight": 1.0, "contrastive_weight": 0.2},
    "ranking + co-occurrence": {**ALONE, "ranking_weight": 1.0, "co_occurrence_weight": 0.2},
}


COLUMNS = (
    "cold recall@30",
    "share of popularity",
    "co-reading recall@10",
    "shared subject",
    "shared author",
    "nearest subjects",
    "RMSE",
    "s of CPU",
)


@dataclass(frozen=True, eq=False)
class Data:
    """The folds of a catalog, and who is measured."""

    catalog: Export
    folds: Split
    aggregates: Aggregates
    users: EvaluationUsers
    favourites: list[list[str]]


@dataclass(frozen=True, eq=False)
class Figures:
    """Of one variant."""

    cold: F64
    """(n_users,): recall of lists by favourite subjects and popularity."""
    share: float
    """Of popularity in them."""
    similar: SimilarFigures
    subjects: F64
    """(n_subjects,): share of the nearest subjects that go together in books that training did not know."""
    rmse: float
    """Of held-out ratings, in standard deviations, by a line through the cosine of reader and book."""
    seconds: float


def read_data(url: str, n_users: int) -> Data:
    """The catalog, split as ever."""
    catalog = export(open_database(url))
    folds = split(clean(catalog), params=OPTIONS.split)
    users = choose_users(folds.inner, folds.inner_held_out, at_most=n_users)
    told = tell_favourites(catalog, folds.inner.book_ids, users)
    favourites = [list(each.subjects) for each in told]
    aggregates = aggregate(folds.inner, params=OPTIONS.aggregate)
    return Data(catalog, folds, aggregates, users, favourites)


def measure(data: Data, params: SubjectsParams, seed: int) -> Figures:
    """Train one variant, and look at its neighbourhoods."""
    fold, started = data.folds.inner, time.process_time()
    tools = Tools(1, lambda share: None, Path("/nowhere"))
    embedder = learn_subjects(fold, data.aggregates, data.catalog, params=params, seed=seed, tools=tools)
    seconds = time.process_time() - started
    vectors = pool_books(embedder, data.catalog, fold.book_ids)
    readers = np.stack([embed(embedder, names) for names in data.favourites])
    cold = {share: recall(data, share, readers, vectors) for share in SHARES}
    best = max(SHARES, key=lambda share: cold[share].mean())
    return Figures(
        cold=cold[best],
        share=best,
        similar=measure_nearest(data, vectors),
        subjects=compare_subjects(data, embedder),
        rmse=find_rmse(data, readers, vectors),
        seconds=seconds,
    )


def embed(embedder: EmbedderModel, names: list[str]) -> F32:
    try:
        return embedder.embed(names)[0]
    except NoKnownSubjects:
        return np.zeros(embedder.embeddings.shape[1], dtype=np.float32)


def recall(data: Data, share: float, readers: F32, vectors: F32) -> F64:
    fold, served = data.folds.inner, []
    for reader, history in zip(readers, data.users.histories, strict=True):
        scores = share * data.aggregates.popularity + (1 - share) * (vectors @ reader)
        scores[find_rows(fold.book_ids, history)[1]] = -np.inf
        scores[~fold.is_shown] = -np.inf
        served.append(fold.book_ids[top_k(scores, K)])
    return recall_at_k(served, data.users.held_out, K)


def measure_nearest(data: Data, vectors: F32) -> SimilarFigures:
    book_ids = data.folds.inner.book_ids

    def similar(book_id: int, k: int, exclude: object) -> np.ndarray:
        is_known, rows = find_rows(book_ids, [book_id])
        if not is_known.all() or not vectors[rows].any():
            return np.empty(0, dtype=np.int64)
        scores = vectors @ vectors[rows[0]]
        scores[find_rows(book_ids, np.array([book_id, *exclude]))[1]] = -np.inf  # type: ignore[misc]
        scores[~vectors.any(axis=1)] = -np.inf
        return book_ids[top_k(scores, k)]

    return measure_similar(similar, data.users, data.catalog, k=10, n_books=1000, seed=1)


def compare_subjects(data: Data, embedder: EmbedderModel) -> F64:
    """Of each subject with enough unknown books: whether its nearest are there more often than by chance."""
    book_ids = data.catalog.books["book_id"].to_numpy()
    unknown = book_ids[~np.isin(book_ids, data.folds.inner.book_ids)]
    tables = data.catalog.book_subjects, data.catalog.subjects
    sets: SubjectSets = collect_subject_sets(*tables, unknown, known=embedder.subjects)
    matrix = sets.matrix
    together = (matrix.T @ matrix).toarray()
    n_of = np.diag(together).copy()
    expected = np.outer(n_of, n_of) / max(unknown.size, 1)
    rows = [embedder.subjects.index(name) for name in sets.names]
    singles = embedder.pool_sets(np.arange(len(rows) + 1), np.array(rows))
    cosines = singles @ singles.T
    np.fill_diagonal(cosines, -np.inf)
    wanted = np.flatnonzero(n_of >= 5)
    nearest = np.argsort(-cosines[wanted], axis=1, kind="stable")[:, :N_NEAREST]
    lifted = np.take_along_axis((together > expected)[wanted], nearest, axis=1)
    return np.asarray(lifted.mean(axis=1))


def find_rmse(data: Data, readers: F32, vectors: F32) -> float:
    """Half of the readers fit the line, the others are predicted."""
    cosines, ratings, halves = [], [], []
    for at, (books, given) in enumerate(zip(data.users.held_out, data.users.held_out_ratings, strict=True)):
        is_known, rows = find_rows(data.folds.inner.book_ids, books)
        is_explicit = ~np.isnan(given[is_known])
        cosines.append((vectors[rows] @ readers[at])[is_explicit])
        ratings.append(given[is_known][is_explicit])
        halves.append(np.full(is_explicit.sum(), at % 2))
    x, y, half = (np.concatenate(parts) for parts in (cosines, ratings, halves))
    y = (y - y.mean()) / y.std()
    line = np.polyfit(x[half == 0], y[half == 0], 1)
    return float(np.sqrt(np.mean((np.polyval(line, x[half == 1]) - y[half == 1]) ** 2)))


def describe(name: str, each: list[Figures], first: list[Figures]) -> str:
    """One row of the table: means over seeds, differences to the first variant."""

    def interval(of: object) -> str:
        read = of if callable(of) else None
        assert read is not None
        mine, base = (np.mean([read(f) for f in figures], axis=0) for figures in (each, first))
        gain = bootstrap_mean((mine - base)[~np.isnan(mine)], np.random.default_rng(1))
        text = f"{np.nanmean(mine):.4f}"
        return text if each is first else f"{text} ({gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}])"

    columns = [
        interval(lambda f: f.cold),
        f"{np.mean([f.share for f in each]):.2f}",
        interval(lambda f: f.similar.co_reading),
        f"{np.mean([np.nanmean(f.similar.same_subject) for f in each]):.3f}",
        f"{np.mean([np.nanmean(f.similar.same_author) for f in each]):.3f}",
        f"{np.mean([f.subjects.mean() for f in each]):.3f}",
        f"{np.mean([f.rmse for f in each]):.4f}",
        f"{np.mean([f.seconds for f in each]):.0f}",
    ]
    return f"| {name} | " + " | ".join(columns) + " |"


def list_variants(only: str | None) -> Iterator[tuple[str, SubjectsParams]]:
    for name, changes in VARIANTS.items():
        if only is None or name in only.split("|"):
            yield name, SubjectsParams.model_validate(changes)


def main(
    catalog: Annotated[str, typer.Option(help="URL of a catalog that is filled already.")],
    seeds: Annotated[int, typer.Option(min=1)] = 1,
    users: Annotated[int, typer.Option(min=1, help="Readers that are measured at most.")] = 1500,
    only: Annotated[str | None, typer.Option(help="Names of variants, with | between.")] = None,
) -> None:
    """Print a row for each variant."""
    data = read_data(catalog, users)
    fold = data.folds.inner
    popular = serve_popular(
        fold.book_ids, np.where(fold.is_shown, data.aggregates.popularity, -np.inf), data.users, K
    )
    print(f"{data.users.size} readers; popularity: {recall_at_k(popular, data.users.held_out, K).mean():.4f}")
    print(f"| variant | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
    first: list[Figures] | None = None
    for name, params in list_variants(only):
        each = [measure(data, params, seed) for seed in range(1, seeds + 1)]
        first = first or each
        print(describe(name, each, first), flush=True)


if __name__ == "__main__":
    typer.run(main)
