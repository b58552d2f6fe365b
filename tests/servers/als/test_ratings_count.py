"""Ratings move lists: a hated book lowers its like, a loved one raises it, over many readers' histories."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from artifacts.store import ArtifactStore
from catalog.database import Database, open_database
from catalog.importing import import_source
from catalog.schema import migrate
from catalog.sources.book_crossing import BookCrossing
from evidence.als import AlsParams
from evidence.registry import EvidenceParams
from foundation.arrays import F32, I64
from foundation.tools import Tools
from pipeline.records import Fold, build_fold
from pipeline.settings import AggregateParams
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s6_als import fit_evidence
from servers.als.model import AlsModel
from tests.homes import Home

N_READERS = 300
N_NEAREST = 10
MOST = 0.95
"""Nearest books that stand first already cannot rise, and in a history of two books ALS has another unit."""
RATINGS = (*range(1, 11), None)
TUNED = {"als": 0.28, "neighbours": 0.34, "authors": 0.38, "popularity": 0.001}
"""The blend that Book-Crossing is tuned to."""


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
def book_crossing_places(eval_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Places]:
    db = open_database(f"sqlite:///{tmp_path_factory.mktemp('book-crossing') / 'catalog.db'}")
    migrate(db)
    model_and_fold = _fit_book_crossing(db, eval_data)
    db.close()
    return collect_places(model_and_fold)


def _fit_book_crossing(db: Database, folder: Path) -> Readers:
    import_source(db, BookCrossing(folder / "book-crossing", None))
    catalog = export(db)
    fold = build_fold(clean(catalog).interactions)
    params = EvidenceParams(als=AlsParams(n_factors=32, n_iterations=5))
    tools = Tools(2, lambda share: None, Path())
    counts = aggregate(fold, params=AggregateParams())
    evidence = fit_evidence(fold, counts, catalog, params=params, seed=1, tools=tools)
    return Readers(AlsModel(fold.book_ids, evidence, {"blend": TUNED}), fold)


@pytest.fixture(params=["demo_places", pytest.param("book_crossing_places", marks=[pytest.mark.real_data])])
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
    falls = [np.diff([each.rated[rating] for rating in range(1, 11)]) for each in places]

    assert share([bool((fall <= 0).all()) for fall in falls]) > MOST
    assert share([each.rated[10] < each.rated[6] < each.rated[1] for each in places]) > MOST


def test_a_book_without_a_rating_counts_between_a_6_and_a_7(places: list[Places]) -> None:
    assert share([each.rated[7] <= (each.rated[None] or 0) <= each.rated[6] for each in places]) > MOST
