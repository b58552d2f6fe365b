"""Figures of books come from the fold and the catalog, and are the same for all where nothing is known."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from catalog.tables import Book
from evidence.figures import Figures
from pipeline.models.figures import PRIOR_RATINGS, PRIOR_READERS, measure_figures
from pipeline.records import Interactions, build_fold
from pipeline.settings import AggregateParams
from pipeline.steps.s1_export import export
from pipeline.steps.s4_aggregate import aggregate
from tests.pipeline.catalogs import Work, write_catalog

WORKS = [Work(title, None, ()) for title in ("One", "Two", "Three")]
PAIRS = [(1, 1), (1, 2), (1, 3), (2, 1)]
"""Who read what: three books and one."""


def measure(path: Path, ratings: list[float], years: dict[int, int]) -> Figures:
    db = write_catalog(path / "catalog.db", WORKS, [])
    with db.session(write=True) as session:
        for book_id, year in years.items():
            session.execute(update(Book).where(Book.book_id == book_id).values(year=year))
    catalog = export(db)
    db.close()
    user_ids, book_ids = np.array(PAIRS).T
    fold = build_fold(Interactions(user_ids, book_ids, np.array(ratings, dtype=np.float32)))
    return measure_figures(fold, aggregate(fold, params=AggregateParams()), catalog)


def test_figures_are_those_of_the_readers_and_of_the_catalog(tmp_path: Path) -> None:
    figures = measure(tmp_path, [8, np.nan, np.nan, 4], {1: 1990, 2: 2000})

    first = dict(zip(figures.names, figures.values[0].tolist(), strict=True))
    of_first, of_all = np.log1p([3, 1]).sum(), np.log1p([3, 3, 3, 1]).sum() / 4
    assert first == pytest.approx(
        {
            "readers": np.log(3),
            "rating": 6.0,
            "is_rated": (2 + PRIOR_READERS * 0.5) / (2 + PRIOR_READERS),
            "activity": (of_first + PRIOR_READERS * of_all) / (2 + PRIOR_READERS),
            "year": 1990,
        }
    )
    assert figures.values[:, figures.names.index("year")].tolist() == [1990, 2000, 1995]


def test_few_ratings_carry_a_mean_only_so_far(tmp_path: Path) -> None:
    figures = measure(tmp_path, [8, 2, np.nan, 8], {})

    rating = figures.values[:, figures.names.index("rating")]
    assert rating.tolist() == pytest.approx(
        [(16 + 6 * PRIOR_RATINGS) / (2 + PRIOR_RATINGS), (2 + 6 * PRIOR_RATINGS) / (1 + PRIOR_RATINGS), 6]
    )


def test_where_nothing_is_told_all_books_are_the_same(tmp_path: Path) -> None:
    figures = measure(tmp_path, [np.nan] * 4, {})

    untold = figures.values[:, [figures.names.index(name) for name in ("rating", "is_rated", "year")]]
    assert untold.tolist() == [[0, 0, 0]] * 3
