from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from tests.pipeline.catalogs import Work, write_catalog

WORKS = [Work(f"Book {number}", None, ()) for number in range(3)]


def test_ratings_out_of_range_are_dropped_and_implicit_ones_kept(tmp_path: Path) -> None:
    pairs = [(1, 1, 10.0), (1, 2, 5.0), (2, 1, None), (2, 3, 5.0), (3, 3, 1.0)]
    db = write_catalog(tmp_path / "catalog.db", WORKS, pairs)
    exported = export(db)
    beyond = pa.array([10.0, 0.0, None, 11.0, 1.0])  # as a database without the check may hold them
    ratings = exported.ratings.set_column(2, "rating", beyond)

    cleaned = clean(replace(exported, ratings=ratings))

    assert cleaned.interactions.user_ids.tolist() == [1, 2, 3]
    assert cleaned.interactions.book_ids.tolist() == [1, 1, 3]
    np.testing.assert_array_equal(cleaned.interactions.ratings, [10, np.nan, 1])
    assert cleaned.report == {
        "read": 5,
        "kept": 3,
        "book not listed": 0,
        "rating outside 1 to 10": 2,
        "hidden book of few readers": 0,
    }
    db.close()


def test_ratings_of_books_no_longer_listed_are_dropped(tmp_path: Path) -> None:
    db = write_catalog(tmp_path / "catalog.db", WORKS, [(1, 1, 5.0), (1, 2, 5.0)])
    exported = export(db)
    only_first = exported.books.filter(pa.array([True, False, False]))

    cleaned = clean(type(exported)(**{**vars(exported), "books": only_first}))

    assert cleaned.interactions.book_ids.tolist() == [1]
    assert cleaned.report["book not listed"] == 1
    db.close()


def test_equal_catalogs_have_equal_fingerprints_and_others_do_not(tmp_path: Path) -> None:
    pairs = [(1, 1, 5.0), (1, 2, None)]
    catalogs = [
        write_catalog(tmp_path / f"{number}.db", WORKS, each)
        for number, each in enumerate([pairs, pairs, [(1, 1, 5.0), (1, 2, 4.0)]])
    ]

    first, same, other = (export(db).fingerprint for db in catalogs)

    assert first == same != other
    for db in catalogs:
        db.close()
