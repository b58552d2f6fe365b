"""Ratings move lists: a hated book lowers its like, a loved one raises it, over many readers' histories."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from artifacts.store import ArtifactStore
from catalog.database import open_database
from catalog.sources.book_crossing import BookCrossing
from catalog.sources.row_log import RowLog
from evidence.als import AlsParams
from evidence.kind import TrainingData
from evidence.registry import Evidence, EvidenceParams
from foundation.arrays import F32, I64
from foundation.serving_rules import ServingRules
from foundation.tools import Tools
from pipeline.evaluation.users import choose_users
from pipeline.models.fold_models import BlendParams, build_als
from pipeline.records import Fold, Interactions, build_fold
from pipeline.settings import TrainOptions
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s6_als import fit_evidence
from pipeline.steps.s7_ranker import MAX_USERS, collect_candidates, grow_ranker
from servers.als.model import AlsModel
from tests.homes import Home

N_READERS = 220
N_NEAREST = 10
MOST = 0.95
"""Share of readers; nearest books that stand first already cannot rise."""
RATINGS = (1, 3, 5, 6, 7, 8, 10, None)
MIN_READERS = 15
"""Of the real books that are ranked: of most the dump knows one reader."""
TUNED = {"als": 0.28, "neighbours": 0.34, "authors": 0.38, "popularity": 0.001}
"""The blend that Book-Crossing is tuned to."""
N_CANDIDATES = 300
SMALL_ALS = AlsParams(n_factors=32, n_iterations=5)
TOOLS = Tools(2, lambda share: None, Path())


@dataclass(frozen=True)
class Readers:
    """A model, and the histories of those whom it serves."""

    model: AlsModel
    fold: Fold

    def draw(self) -> Iterator[tuple[I64, F32, int]]:
        """Histories with their ratings, and the place of the book that is rated anew."""
        rng = np.random.default_rng(5)
        has_several = np.flatnonzero(np.diff(self.fold.ratings.indptr) > 1)
        for user in rng.choice(has_several, N_READERS, replace=False):
            book_ids, ratings = self.fold.history(user)
            yield book_ids, ratings, int(rng.integers(book_ids.size))


@dataclass(frozen=True)
class Places:
    """Where the nearest books of one book stand in the whole list, in the mean, whatever it is rated."""

    absent: float
    rated: dict[float | None, float]


def place_nearest(model: AlsModel, book_ids: I64, ratings: F32, at: int, nearest: Sequence[int]) -> Places:
    """The lists of one history without a book, and with it in each of the ratings."""

    def place(history: I64, given: F32) -> float:
        # The book stays out of the list whose history lacks it, so that all lists are of the same books.
        ranked, _ = model.rank(history, given, k=model.book_ids.size, exclude=[int(book_ids[at])])
        return float(np.flatnonzero(np.isin(ranked, nearest)).mean())

    def rate(rating: float | None) -> F32:
        changed = ratings.copy()
        changed[at] = np.nan if rating is None else rating
        return changed

    others = np.arange(book_ids.size) != at
    return Places(
        absent=place(book_ids[others], ratings[others]),
        rated={rating: place(book_ids, rate(rating)) for rating in RATINGS},
    )


def find_nearest(model: AlsModel, book_ids: I64, at: int) -> list[int]:
    """The books for which this one speaks most by who read both, without those of the history."""
    [row] = np.flatnonzero(model.book_ids == book_ids[at])
    weights = model.evidence.neighbours.weights[[row]].toarray()[0]
    weights[np.isin(model.book_ids, book_ids)] = 0
    best = np.argsort(-weights, kind="stable")[:N_NEAREST]
    return [int(book_id) for book_id in model.book_ids[best[weights[best] > 0]]]


def collect_places(readers: Readers) -> list[Places]:
    """Of the readers whose book speaks for any."""
    return [
        place_nearest(readers.model, book_ids, ratings, at, nearest)
        for book_ids, ratings, at in readers.draw()
        if (nearest := find_nearest(readers.model, book_ids, at))
    ]


@pytest.fixture(scope="module")
def demo_places(trained_home: Home) -> list[Places]:
    store = ArtifactStore(trained_home.path / "artifacts")
    model = store.load(store.manifest(str(store.current())), "als", AlsModel).record
    db = open_database(f"sqlite:///{trained_home.path / 'catalog.db'}")
    fold = build_fold(clean(export(db)).interactions)
    db.close()
    return collect_places(Readers(model, fold))


@pytest.fixture(scope="module")
def reordered_places(trained_home: Home) -> list[Places]:
    """By a ranker, which the demo is too small to be served by."""
    db = open_database(f"sqlite:///{trained_home.path / 'catalog.db'}")
    catalog = export(db)
    db.close()
    cleaned, options = clean(catalog), TrainOptions()
    folds = split(cleaned, params=options.split)

    def fit(fold: Fold) -> Evidence:
        figures, params = aggregate(fold, params=options.aggregate), EvidenceParams(als=SMALL_ALS)
        return fit_evidence(fold, figures, catalog, params=params, seed=1, tools=TOOLS)

    blend: BlendParams = {"blend": TUNED, "units": dict.fromkeys(TUNED, 1.0)}
    users = choose_users(folds.inner, folds.inner_held_out, at_most=MAX_USERS)
    inner = build_als(folds.inner, fit(folds.inner), blend)
    candidates = collect_candidates(inner, users, N_CANDIDATES, ServingRules(), TOOLS)
    everyone = np.ones(users.size, dtype=bool)
    ranker = grow_ranker(candidates, everyone, n_trees=50, seed=1, threads=1)
    fold = build_fold(cleaned.interactions)
    return collect_places(Readers(build_als(fold, fit(fold), blend, ranker), fold))


@pytest.fixture(scope="module")
def book_crossing_places() -> list[Places]:
    folder = os.environ.get("BOOKMESH_EVAL_DATA")
    if not folder:
        pytest.skip("BOOKMESH_EVAL_DATA names no folder of evaluation data")
    return collect_places(_fit_book_crossing(BookCrossing(Path(folder) / "book-crossing")))


def _fit_book_crossing(source: BookCrossing) -> Readers:
    """Each ISBN as a book of its own, since an import takes longer than all else here."""
    log = RowLog(lambda stage, done, total: None)
    given = {(int(each.user), each.isbn): float(each.rating) for each in source.ratings(log)}
    users, isbns = (np.array(column) for column in zip(*given, strict=True))
    names, books, counts = np.unique(isbns, return_inverse=True, return_counts=True)
    ratings = np.array([rating or np.nan for rating in given.values()], dtype=np.float32)
    order = np.lexsort((books, users))
    order = order[counts[books[order]] >= MIN_READERS]
    fold = build_fold(Interactions(users[order], books[order], ratings[order]))
    author_of = {each.isbns[0]: each.authors for each in source.editions(log)}
    authors = [author_of.get(str(name)) or (str(name),) for name in names[fold.book_ids]]
    _, columns = np.unique([first for first, *_ in authors], return_inverse=True)
    data = TrainingData(
        user_items=fold.user_items,
        counts=np.bincount(fold.user_items.indices),
        book_authors=csr_array((np.ones(columns.size, dtype=np.float32), (np.arange(columns.size), columns))),
        title_words=csr_array((fold.book_ids.size, 0), dtype=np.float32),
        languages=np.zeros(fold.book_ids.size, dtype=np.int32),
    )
    evidence = Evidence.fit(data, EvidenceParams(als=SMALL_ALS), seed=1, tools=TOOLS)
    return Readers(AlsModel(fold.book_ids, evidence, {"blend": TUNED}), fold)


@pytest.fixture(
    params=[
        "demo_places",
        "reordered_places",
        pytest.param("book_crossing_places", marks=[pytest.mark.real_data]),
    ]
)
def places(request: pytest.FixtureRequest) -> list[Places]:
    found: list[Places] = request.getfixturevalue(request.param)
    return found


def share(holds: Sequence[bool]) -> float:
    return float(np.mean(holds))


def test_a_1_lowers_the_nearest_books_and_a_10_raises_them(places: list[Places]) -> None:
    assert len(places) > 200
    assert share([each.rated[1] > each.absent for each in places]) > MOST
    assert share([each.rated[10] < each.absent for each in places]) > MOST


def test_the_higher_the_rating_the_higher_the_nearest_books(places: list[Places]) -> None:
    falls = [np.diff([each.rated[rating] for rating in RATINGS if rating]) for each in places]

    assert share([bool((fall <= 0).all()) for fall in falls]) > MOST
    assert share([each.rated[10] < each.rated[6] < each.rated[1] for each in places]) > MOST


def test_a_book_without_a_rating_counts_between_a_6_and_a_7(places: list[Places]) -> None:
    assert share([each.rated[7] <= (each.rated[None] or 0) <= each.rated[6] for each in places]) > MOST
