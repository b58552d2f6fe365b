"""The import of the real Book-Crossing and Open Library data, where they are at hand."""

from pathlib import Path

import pytest

from catalog.books import find_by_isbn, read_titles
from catalog.database import Database
from catalog.importing import import_source
from catalog.isbn import parse_isbn
from catalog.sources.book_crossing import BookCrossing
from catalog.subjects import list_subjects
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
    assert report.totals["ratings"] == ratings.n_kept > 0.75 * ratings.n_read
    assert report.totals["books"] < 0.9 * n_read["BX-Books.csv"]
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
