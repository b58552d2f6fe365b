"""Ratings of ISBNs that nobody can title: kept as evidence, and books as soon as a title comes."""

import tempfile
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from catalog.books import find_by_isbn, find_current, read_titles
from catalog.database import Database, open_database
from catalog.importing import ImportReport, import_source
from catalog.isbn import to_isbn10
from catalog.tables import Book, Edition, Hidden, Rating
from tests.catalog.reading import contents, dropped
from tests.catalog.shelf import ListSource, edition, isbn, rating, work

UNTITLED = ListSource(
    edition_list=[edition(1, "Ash")],
    rating_list=[rating("1", 1, "8"), rating("1", 9, "7"), rating("2", 9, "0")],
)


def row_of(db: Database, number: int) -> Book:
    """The row of the book of an ISBN, hidden or not."""
    with db.session() as session:
        of_isbn = select(Book).join(Edition, Edition.book_id == Book.book_id)
        book = session.scalars(of_isbn.where(Edition.isbn13 == isbn(number))).one()
        session.expunge(book)
        return book


def count_ratings(db: Database, book_id: int) -> int:
    with db.session() as session:
        return session.scalar(select(func.count()).where(Rating.book_id == book_id)) or 0


def test_a_rating_of_an_isbn_without_a_title_is_kept_as_evidence(db: Database) -> None:
    report = import_source(db, UNTITLED)

    book = row_of(db, 9)
    assert (book.title, book.hidden) == (isbn(9), Hidden.UNTITLED)
    assert count_ratings(db, book.book_id) == 2
    assert dropped(report, "ratings") == {}
    assert (report.totals["books"], report.totals["books without a title"]) == (1, 1)
    assert (report.totals["ratings"], report.totals["ratings kept as evidence"]) == (3, 2)
    assert all(file.n_read == file.n_kept + sum(file.dropped.values()) for file in report.files)


def test_what_is_no_isbn_or_no_rating_makes_no_book(db: Database) -> None:
    named = rating("1", 9, "5")
    source = ListSource(
        rating_list=[
            named._replace(isbn="B000OEYC5G"),
            named._replace(isbn=""),
            named._replace(isbn="", work="unknown"),
            named._replace(rating="11"),
            named._replace(user=""),
        ]
    )

    report = import_source(db, source)

    assert sum(dropped(report, "ratings").values()) == 5
    assert report.totals["books without a title"] == 0


def test_importing_untitled_books_again_changes_nothing(db: Database) -> None:
    import_source(db, UNTITLED)
    before = contents(db)

    import_source(db, UNTITLED)

    assert contents(db) == before


def test_a_title_makes_it_a_book_of_the_same_id_which_is_corrected_like_any_other(db: Database) -> None:
    import_source(db, UNTITLED)
    before = row_of(db, 9)
    in_ten_digits = edition(9, "Cedar")._replace(isbns=(to_isbn10(isbn(9)) or "",))

    for title in ("Cedar", "Cedars"):
        named = in_ten_digits._replace(title=title)
        import_source(db, replace(UNTITLED, edition_list=[edition(1, "Ash"), named]))

        after = row_of(db, 9)
        assert (after.book_id, after.title, after.hidden) == (before.book_id, title, None)
        assert count_ratings(db, after.book_id) == 2


def test_a_title_stays_when_a_later_import_lacks_it(db: Database) -> None:
    import_source(db, replace(UNTITLED, edition_list=[edition(1, "Ash"), edition(9, "Cedar")]))

    import_source(db, UNTITLED)

    assert (row_of(db, 9).title, row_of(db, 9).hidden) == ("Cedar", None)


@pytest.mark.parametrize("by_work", [True, False])
def test_a_title_of_a_known_work_merges_it_into_that(db: Database, by_work: bool) -> None:
    source = replace(UNTITLED, work_list=[work("A", "Ash")], edition_list=[edition(1, "Ash", of="A")])
    import_source(db, source)
    untitled, ash = row_of(db, 9), row_of(db, 1)
    told = edition(9, "Ash", of="A" if by_work else None)

    report = import_source(db, replace(source, edition_list=[edition(1, "Ash", of="A"), told]))

    assert report.totals["books replaced by another"] == 1
    assert row_of(db, 9).book_id == ash.book_id
    assert count_ratings(db, ash.book_id) == 2
    with db.session() as session:
        assert find_current(session, untitled.book_id) == ash.book_id


def test_another_source_that_has_a_title_gets_the_ratings(db: Database) -> None:
    import_source(db, UNTITLED)
    untitled = row_of(db, 9)

    shop = ListSource(name="shop", edition_list=[edition(9, "Cedar")])
    import_source(db, shop)
    import_source(db, UNTITLED)

    cedar = row_of(db, 9)
    assert (cedar.source, cedar.title, cedar.hidden) == ("shop", "Cedar", None)
    assert count_ratings(db, cedar.book_id) == 2
    with db.session() as session:
        assert find_current(session, untitled.book_id) == cedar.book_id


def test_a_rating_of_an_isbn_that_another_source_has_is_of_its_book(db: Database) -> None:
    import_source(db, ListSource(name="shop", edition_list=[edition(9, "Cedar")]))

    report = import_source(db, UNTITLED)

    assert report.totals["books without a title"] == 0
    assert count_ratings(db, row_of(db, 9).book_id) == 2


TITLES = st.sampled_from([None, "Ash", "Birch", "Cedar"])
SHELVES = st.lists(st.lists(TITLES, min_size=4, max_size=4), min_size=2, max_size=4)


LATE_TITLE = [["Birch", None, None, "Birch"], [None, "Birch", None, "Birch"], ["Birch", "Ash", "Birch", None]]
"""At last a book gets another title, after editions that were its for the former one."""


@settings(max_examples=15)
@given(shelves=SHELVES)
@example(shelves=LATE_TITLE)
def test_an_id_always_leads_to_the_book_of_its_isbn(shelves: list[list[str | None]]) -> None:
    """Whatever titles the ISBNs have or lack in one import after the other."""
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(f"sqlite:///{folder}/catalog.db")
        check(db, shelves)
        db.close()


def check(db: Database, shelves: list[list[str | None]]) -> None:
    first_ids: dict[int, set[int]] = {number: set() for number in range(4)}
    for titles in shelves:
        source = ListSource(
            edition_list=[edition(n, title) for n, title in enumerate(titles) if title],
            rating_list=[rating(str(user), n, "8") for user in range(2) for n in range(4)],
        )
        import_source(db, source)
        state = contents(db)
        report: ImportReport = import_source(db, source)
        assert contents(db) == state, "a second time changes nothing"
        assert dropped(report, "ratings").keys() <= {"reader rated the book more than once"}
        for number in range(4):
            book = row_of(db, number)
            first_ids[number].add(book.book_id)
            assert (book.hidden is None) == (book.title != isbn(number))
            with db.session() as session:
                assert find_current(session, book.book_id) == book.book_id
                if titles[number]:
                    book_id = find_by_isbn(session, isbn(number))
                    assert book_id is not None
                    assert read_titles(session, [book_id])[book_id].title == titles[number]
    with db.session() as session:
        known = set(session.scalars(select(Book.book_id)))
    assert set().union(*first_ids.values()) <= known
