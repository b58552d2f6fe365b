"""The import of the real Book-Crossing and Open Library data, where they are at hand."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from catalog.books import find_by_isbn, read_titles
from catalog.database import Database
from catalog.importing import import_source
from catalog.isbn import parse_isbn
from catalog.sources.book_crossing import BookCrossing
from catalog.sources.generic import Generic
from catalog.sources.goodbooks import Goodbooks
from catalog.sources.mapping import read_mapping
from catalog.sources.movielens import GENRES, open_movielens
from catalog.subjects import list_subjects
from catalog.tables import Book, User
from catalog.users import find_user, read_profile

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


def test_the_import_of_book_crossing_adds_up(sqlite: Database, eval_data: Path) -> None:
    report = import_source(sqlite, BookCrossing(eval_data / "book-crossing", eval_data / "open-library"))

    n_read = {file.name: file.n_read for file in report.files}
    assert n_read["BX-Book-Ratings.csv"] == 441_641
    assert n_read["BX-Books.csv"] == 34_528
    assert n_read["BX-Users.csv"] == 107_377
    assert n_read["ol_dump_works.txt.gz"] == 18_556
    assert n_read["ol_dump_editions.txt.gz"] == 27_035
    assert all(file.n_read == file.n_kept + sum(file.dropped.values()) for file in report.files)
    ratings = next(file for file in report.files if file.name == "BX-Book-Ratings.csv")
    assert report.totals["ratings"] == ratings.n_kept > 0.99 * ratings.n_read
    assert report.totals["books"] < 0.9 * n_read["BX-Books.csv"]
    assert (report.totals["books without a title"], report.totals["ratings kept as evidence"]) == (
        70_684,
        91_874,
    )
    with sqlite.session() as session:
        has_pages = select(func.count()).where(Book.n_pages.is_not(None), Book.filled_pages)
        no_bucket = select(func.count()).where(Book.year_bucket.is_(None) | Book.page_bucket.is_(None))
        assert (session.scalar(has_pages) or 0) > 2_000
        assert session.scalar(no_bucket) == 0
    assert 800 <= report.totals["subjects"] <= 1_000
    assert report.seconds < 60
    with sqlite.session() as session:
        names = [row.name for row in list_subjects(session)]
        book_id = find_by_isbn(session, parse_isbn("0385504209"))
        reader = read_profile(session, find_user(session, "book-crossing", "276729") or 0)
        assert book_id is not None
        assert read_titles(session, [book_id])[book_id].title == "The Da Vinci Code"
    assert {"Mystery", "Science fiction", "Historical fiction"} <= set(names[:20])
    assert reader is None or reader.history is not None


def test_the_import_of_goodbooks_adds_up(sqlite: Database, eval_data: Path) -> None:
    report = import_source(sqlite, Goodbooks(eval_data / "goodbooks-10k"))

    files = {file.name: file for file in report.files}
    assert {name: file.n_read for name, file in files.items()} == {
        "tags.csv": 34_252,
        "book_tags.csv": 704_193,
        "books.csv": 10_000,
        "ISBNs of books.csv": 10_000,
        "ratings.csv": 554_234,
        "to_read.csv": 626_529,
    }
    assert all(file.n_read == file.n_kept + sum(file.dropped.values()) for file in report.files)
    assert report.totals["ratings"] == files["ratings.csv"].n_kept > 554_000
    assert report.totals["events"] == files["to_read.csv"].n_kept > 620_000
    assert report.totals["readers"] == 52_560
    assert report.totals["books with subjects"] > 7_000
    with sqlite.session() as session:
        names = [row.name for row in list_subjects(session)]
    assert {"Fantasy", "Romance", "Mystery"} <= set(names[:20])
    assert not {"To read", "Favorites", "Owned", "Kindle"} & set(names)


def test_the_import_of_movielens_100k_adds_up(sqlite: Database, eval_data: Path) -> None:
    report = import_source(sqlite, open_movielens(eval_data / "ml-100k"))

    assert {file.name: (file.n_read, file.n_kept) for file in report.files} == {
        "u.item": (1_682, 1_682),
        "u.user": (943, 943),
        "u.data": (100_000, 100_000),
    }
    assert (report.totals["ratings"], report.totals["readers"]) == (100_000, 943)
    with sqlite.session() as session:
        assert {row.name for row in list_subjects(session)} == set(GENRES)
        described = select(func.count()).where(User.gender.in_(["F", "M"]), User.occupation.is_not(None))
        assert session.scalar(described) == 943


STARS_OF_MOVIELENS = """
name = "films"
scale = "1-5"
encoding = "latin-1"

[ratings]
file = "u.data"
separator = "tab"
columns = ["user", "item", "rating", "rated_at"]

[items]
file = "u.item"
separator = "|"
quote = ""
columns = ["item", "title", "year", "video", "url", "unknown", "Action", "Adventure", "Animation", "Children",
    "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film noir", "Horror", "Musical", "Mystery",
    "Romance", "Science fiction", "Thriller", "War", "Western"]
subject_flags = ["Fantasy", "Horror", "Mystery", "Romance", "Science fiction", "War", "Western"]

[users]
file = "u.user"
separator = "|"
columns = ["user", "age", "gender", "occupation", "postal_code"]
"""


def test_a_set_of_others_is_imported_through_a_mapping_and_adds_up(
    sqlite: Database, eval_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "mapping.toml").write_text(STARS_OF_MOVIELENS)
    source = Generic(eval_data / "ml-100k", read_mapping(tmp_path / "mapping.toml"))

    report = import_source(sqlite, source)

    n_read = {file.name: file.n_read for file in report.files}
    assert (n_read["u.item"], n_read["u.user"], n_read["u.data"]) == (1_682, 943, 100_000)
    assert all(file.n_read == file.n_kept + sum(file.dropped.values()) for file in report.files)
    assert report.totals["ratings"] == report.totals["explicit ratings"] == 100_000
    assert report.totals["books"] == 1_682
