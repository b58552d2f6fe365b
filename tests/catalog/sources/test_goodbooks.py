"""What is read of goodbooks-10k."""

from pathlib import Path

import pytest
from sqlalchemy import select

from catalog.database import Database
from catalog.errors import SourceError
from catalog.importing import import_source
from catalog.sources.goodbooks import TO_READ, Goodbooks, is_shelf
from catalog.tables import Book, Event, Rating, User
from tests.catalog.reading import dropped, subjects_of
from tests.catalog.sources.small_sets import write_set


def test_books_have_their_tags_as_subjects_the_commonest_first(sqlite: Database, tmp_path: Path) -> None:
    report = import_source(sqlite, Goodbooks(write_set("goodbooks", tmp_path)))

    with sqlite.session() as session:
        books = session.execute(
            select(Book.external_id, Book.title, Book.year, Book.language).order_by(Book.book_id)
        )
        assert [tuple(row) for row in books] == [
            ("1", 'Ash, the "Tree" (Trees, #1)', -720, "eng"),
            ("2", "Birch", 1999, None),
            ("3", "Cedar", None, "dut"),
        ]
    assert subjects_of(sqlite, "1") == ["Dragons", "Fantasy"]
    assert dropped(report, "tags.csv") == {"name of a shelf": 3}
    assert dropped(report, "book_tags.csv") == {
        "name of a shelf": 2,
        "no book record": 1,
        "no tag record": 1,
        "count is no number": 1,
    }
    lines = next(file.lines for file in report.files if file.name == "book_tags.csv")
    assert lines["no book record"] == [8]


def test_an_isbn_gets_its_zeros_back_and_a_rounded_one_is_none(sqlite: Database, tmp_path: Path) -> None:
    report = import_source(sqlite, Goodbooks(write_set("goodbooks", tmp_path)))

    assert dropped(report, "ISBNs of books.csv") == {"ISBN: wrong length": 1, "no ISBN": 1}
    assert report.repairs["leading zeros of an ISBN restored"] == 1
    assert report.totals["editions"] == 1


def test_stars_are_on_the_catalogs_scale_and_books_to_read_are_events(
    sqlite: Database, tmp_path: Path
) -> None:
    report = import_source(sqlite, Goodbooks(write_set("goodbooks", tmp_path)))

    query = select(User.external_id, Book.external_id)
    with sqlite.session() as session:
        ratings = session.execute(
            query.add_columns(Rating.rating)
            .join(Rating, Rating.user_id == User.user_id)
            .join(Book, Book.book_id == Rating.book_id)
        )
        assert {tuple(row) for row in ratings} == {
            ("1", "1", 10.0), ("1", "2", 1.0), ("2", "1", 5.5), ("3", "2", 3.25),
        }  # fmt: skip
        events = session.execute(
            query.add_columns(Event.kind, Event.at)
            .join(Event, Event.user_id == User.user_id)
            .join(Book, Book.book_id == Event.book_id)
        )
        assert {tuple(row) for row in events} == {
            ("1", "3", "to_read", None), ("2", "2", "to_read", None), ("9", "1", "to_read", None),
        }  # fmt: skip
    assert dropped(report, "ratings.csv") == {
        "reader rated the book more than once": 1,
        "no book record": 1,
        "rating is not a whole number from 1 to 5": 1,
    }
    assert dropped(report, "to_read.csv") == {
        "event given twice": 1,
        "no book record": 1,
    }


@pytest.mark.parametrize(
    "tag", ["to-read", "currently-reading", "owned", "read-in-2015", "my-books", "5-stars"]
)
def test_the_name_of_a_shelf_is_no_subject(tag: str) -> None:
    assert is_shelf(tag)


@pytest.mark.parametrize("tag", ["childrens-books", "world-war-i", "star-wars", "boarding-school", "how-to"])
def test_a_subject_is_no_name_of_a_shelf(tag: str) -> None:
    assert not is_shelf(tag)


def test_a_folder_of_something_else_is_refused_with_what_it_must_hold(tmp_path: Path) -> None:
    write_set("movielens", tmp_path)

    with pytest.raises(
        SourceError, match=r"books.csv: no such file; the folder must hold books.csv, .*to_read"
    ):
        Goodbooks(tmp_path)


def test_another_table_of_the_same_name_is_refused(sqlite: Database, tmp_path: Path) -> None:
    write_set("goodbooks", tmp_path)
    (tmp_path / TO_READ).write_text("user,book\n1,2\n")

    with pytest.raises(SourceError, match=r"to_read.csv, line 1: expected a column 'user_id'"):
        import_source(sqlite, Goodbooks(tmp_path))
