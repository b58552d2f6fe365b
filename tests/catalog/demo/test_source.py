import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest

from catalog.cleaning import work_key
from catalog.database import open_database
from catalog.demo.made_up import MadeUpWorks
from catalog.demo.mess import Messy
from catalog.demo.source import Demo
from catalog.demo.works import read_works
from catalog.importing import import_source
from catalog.isbn import parse_isbn
from catalog.sources.row_log import RowLog
from tests.catalog.dump import write_book_crossing

LANGUAGE_CODE_LENGTH = 3


def new_log() -> RowLog:
    return RowLog(lambda *_: None)


def test_the_works_are_many_distinct_and_complete() -> None:
    works = read_works()

    assert len(works) >= 600
    assert len({work.external_id for work in works}) == len(works)
    assert len({work_key(work.title, (*work.authors, "?")[0]) for work in works}) == len(works)
    for work in works:
        assert work.title
        assert -3000 < work.year < 2027
        assert len(work.language) == LANGUAGE_CODE_LENGTH
        assert 3 <= len(work.subjects) == len(set(work.subjects)) <= 6, work.title
        assert 10 <= len(work.description.split()) <= 35, work.title


def test_isbns_are_valid_unique_and_belong_to_no_real_book() -> None:
    isbns = [edition.isbns[0] for edition in Demo().editions(new_log())]

    assert len(set(isbns)) == len(isbns)
    assert all(parse_isbn(isbn) == isbn and isbn.startswith("97899999") for isbn in isbns)


def test_the_same_seed_gives_the_same_dump_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_book_crossing(Messy(Demo(users=30, ratings=200, seed=seed), seed=seed), tmp_path / name)

    a, b, c = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "abc")
    assert a == b
    assert a["BX-Book-Ratings.csv"] != c["BX-Book-Ratings.csv"]


def test_ratings_have_a_long_tail_of_readers_and_books() -> None:
    ratings = list(Demo().ratings(new_log()))
    per_user = np.array(list(Counter(rating.user for rating in ratings).values()))
    per_book = np.sort(list(Counter(rating.isbn for rating in ratings).values()))[::-1]

    assert abs(len(ratings) - 40_000) < 2_000
    assert np.median(per_user) < per_user.mean() < per_user.max() / 4
    assert per_book[: per_book.size // 5].sum() > 0.4 * len(ratings)


def test_no_reader_rates_a_book_twice_and_some_ratings_are_implicit() -> None:
    ratings = list(Demo(users=200, ratings=4_000).ratings(new_log()))

    assert len({(rating.user, rating.isbn) for rating in ratings}) == len(ratings)
    values = Counter(rating.rating for rating in ratings)
    assert set(values) <= {str(n) for n in range(11)}
    assert 0.2 < values["0"] / len(ratings) < 0.3


def test_what_others_with_the_same_books_read_tells_more_than_popularity() -> None:
    popularity, neighbours = held_out_recall_at_30(Demo())

    assert neighbours > 1.5 * popularity


def test_made_up_readers_have_tastes_that_neighbours_find_and_that_ratings_tell() -> None:
    source = Demo(books=1_500, users=2_000, ratings=20_000)
    ratings = np.array([int(rating.rating) for rating in source.ratings(new_log())])
    popularity, neighbours = held_out_recall_at_30(source)

    assert neighbours > 1.5 * popularity
    assert 0.1 < (ratings[ratings > 0] <= 5).mean() < 0.4 < (ratings[ratings > 0] >= 8).mean()


def held_out_recall_at_30(source: Demo) -> tuple[float, float]:
    """Recall of popularity and of plain item neighbours on a random fifth of all ratings."""
    number = {edition.isbns[0]: n for n, edition in enumerate(source.editions(new_log()))}
    pairs = np.array([(int(rating.user) - 1, number[rating.isbn]) for rating in source.ratings(new_log())])
    held_out = np.random.default_rng(0).random(len(pairs)) < 0.2
    train, test = np.zeros((2, pairs[:, 0].max() + 1, len(number)))
    train[tuple(pairs[~held_out].T)] = 1
    test[tuple(pairs[held_out].T)] = 1
    together = train.T @ train
    norm = np.sqrt(np.diag(together)) + 1e-9
    cosine = together / np.outer(norm, norm)
    np.fill_diagonal(cosine, 0)
    by_popularity = np.tile(train.sum(axis=0), (len(train), 1))
    return _recall(by_popularity, train, test), _recall(train @ cosine, train, test)


def _recall(scores: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    best = np.argsort(np.where(train > 0, -np.inf, scores), axis=1)[:, -30:]
    hits = np.take_along_axis(test, best, axis=1).sum(axis=1)
    wanted = np.minimum(30, test.sum(axis=1))
    return float((hits[wanted > 0] / wanted[wanted > 0]).mean())


def test_made_up_works_of_any_number_are_distinct() -> None:
    works = MadeUpWorks(30_000, ["Magic", "War", "Music", "Law"], seed=1)

    keys = {work_key(works[n].title, works[n].authors[0]) for n in range(30_000)}

    assert len(keys) == 30_000


def test_more_readers_leave_the_made_up_books_as_they_are() -> None:
    few, many = (list(Demo(books=300, users=n, ratings=10 * n).works(new_log())) for n in (20, 40))

    assert few == many


@pytest.mark.slow
def test_a_large_catalog_is_imported_in_seconds_and_little_memory(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'catalog.db'}")
    before, started = psutil.Process().memory_info().rss, time.perf_counter()

    report = import_source(db, Demo(books=30_000, users=36_000, ratings=144_000))

    assert report.totals["books"] == 30_000
    assert abs(report.totals["ratings"] - 144_000) < 7_000
    assert time.perf_counter() - started < 40
    assert psutil.Process().memory_info().rss - before < 300 * 2**20
    db.close()
