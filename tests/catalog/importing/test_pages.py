"""Pages and years of books, and the buckets that are named after them."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from catalog.books import find_by_isbn
from catalog.cleaning import parse_pages
from catalog.database import Database
from catalog.importing import import_source
from catalog.tables import Book, Edition
from tests.catalog.reading import contents
from tests.catalog.shelf import ListSource, edition, isbn, rating, work


def row_of(db: Database, number: int) -> Book:
    with db.session() as session:
        book = session.get_one(Book, find_by_isbn(session, isbn(number)))
        session.expunge(book)
        return book


def test_a_book_has_the_median_of_its_editions_pages(db: Database) -> None:
    pages = {1: 90, 2: 301, 3: 299, 4: None, 5: 310}
    source = ListSource(
        work_list=[work("A", "Ash", year=1869)],
        edition_list=[edition(n, "Ash", of="A", n_pages=each) for n, each in pages.items()],
    )

    import_source(db, source)

    book = row_of(db, 1)
    assert (book.n_pages, book.filled_pages, book.page_bucket) == (299, True, "200-299")
    assert (book.year, book.filled_year, book.year_bucket) == (1869, False, "before 1900")


@pytest.mark.parametrize(
    ("year", "n_pages", "buckets"),
    [
        ("1994", 99, ("1990s", "1-99")),
        ("2000", 1000, ("2000s", "1000 or more")),
        ("1900", 999, ("1900s", "900-999")),
        ("0", None, ("unknown", "unknown")),
    ],
)
def test_every_book_has_a_bucket(
    db: Database, year: str, n_pages: int | None, buckets: tuple[str, str]
) -> None:
    import_source(db, ListSource(edition_list=[edition(1, "Ash", year=year, n_pages=n_pages)]))

    book = row_of(db, 1)
    assert (book.year_bucket, book.page_bucket) == buckets
    assert (book.filled_year, book.filled_pages) == (year != "0", n_pages is not None)


def test_a_book_without_a_title_has_buckets_too(db: Database) -> None:
    import_source(db, ListSource(rating_list=[rating("1", 9, "5")]))

    with db.session() as session:
        book = session.scalars(select(Book)).one()
        assert (book.year_bucket, book.page_bucket) == ("unknown", "unknown")


def test_pages_change_with_the_source_and_a_second_import_changes_nothing(db: Database) -> None:
    source = ListSource(edition_list=[edition(1, "Ash", n_pages=250)])
    import_source(db, source)
    before = contents(db)

    import_source(db, source)
    assert contents(db) == before

    import_source(db, ListSource(edition_list=[edition(1, "Ash", n_pages=350)]))
    assert (row_of(db, 1).n_pages, row_of(db, 1).page_bucket) == (350, "300-399")
    import_source(db, ListSource(edition_list=[edition(1, "Ash")]))
    assert (row_of(db, 1).n_pages, row_of(db, 1).filled_pages) == (None, False)


def test_of_two_files_with_an_isbn_the_first_describes_the_edition_in_every_import(db: Database) -> None:
    poorer = edition(1, "Ash", year="2001")._replace(file="others")
    source = ListSource(
        work_list=[work("A", "Ash")],
        edition_list=[edition(1, "Ash", of="A", n_pages=250), poorer],
    )

    for _ in range(2):
        import_source(db, replace(source))

        with db.session() as session:
            stored = session.scalars(select(Edition)).one()
            assert (stored.year, stored.n_pages) == (1999, 250)


@pytest.mark.parametrize(
    ("text", "n_pages"),
    [("312", 312), ("0", None), ("", None), ("xii", None), ("12345", None), ("-5", None), ("3.5", None)],
)
def test_pages_are_a_number_that_a_book_can_have(text: str, n_pages: int | None) -> None:
    assert parse_pages(text) == n_pages
