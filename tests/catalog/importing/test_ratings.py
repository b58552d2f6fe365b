"""Which ratings an import leaves in the catalog, and whose."""

from dataclasses import replace

from catalog.books import find_by_isbn
from catalog.database import Database
from catalog.events import dismiss
from catalog.importing import import_source
from catalog.ratings import delete_rating, put_rating
from catalog.users import find_user, read_profile
from tests.catalog.reading import book_of, dropped, ratings_of
from tests.catalog.shelf import ListSource, edition, isbn, rating, user, work


def test_the_highest_explicit_of_several_ratings_is_kept(db: Database) -> None:
    source = ListSource(
        edition_list=[edition(1, "Ash"), edition(2, "Ash"), edition(3, "Birch")],
        rating_list=[
            rating("1", 1, "0"),
            rating("1", 2, "7"),
            rating("1", 1, "5"),
            rating("1", 3, "0"),
            rating("1", 3, "0"),
        ],
    )

    report = import_source(db, source)

    assert ratings_of(db, "1") == {"Ash": 7.0, "Birch": None}
    assert dropped(report, "ratings") == {"reader rated the book more than once": 3}


def test_a_rating_names_its_book_by_work_or_isbn_and_by_the_work_first(db: Database) -> None:
    by_isbn = rating("1", 1, "5")
    source = ListSource(
        work_list=[work("A", "Ash"), work("B", "Birch")],
        edition_list=[edition(1, "Ash", of="A")],
        rating_list=[
            by_isbn,
            by_isbn._replace(user="2", work="B", isbn=""),
            by_isbn._replace(user="3", work="B"),
            by_isbn._replace(user="4", work="unknown"),
            by_isbn._replace(user="5", work="unknown", isbn=""),
        ],
    )

    report = import_source(db, source)

    assert [ratings_of(db, name) for name in "1234"] == [
        {"Ash": 5.0},
        {"Birch": 5.0},
        {"Birch": 5.0},
        {"Ash": 5.0},
    ]
    assert dropped(report, "ratings") == {"no book record": 1}


def test_a_rating_of_a_work_that_was_merged_goes_to_the_work_that_it_joined(db: Database) -> None:
    named = rating("1", 9, "5")._replace(work="B", isbn="")
    source = ListSource(work_list=[work("A", "Ash"), work("B", "ASH")], rating_list=[named])

    import_source(db, source)

    assert ratings_of(db, "1") == {"Ash": 5.0}


def test_what_a_reader_rated_here_since_survives_the_next_import(db: Database) -> None:
    source = ListSource(
        edition_list=[edition(1, "Ash"), edition(2, "Birch")], rating_list=[rating("1", 1, "3")]
    )
    import_source(db, source)
    with db.session(write=True) as session:
        user_id = find_user(session, "lists", "1") or 0
        for number, value in ((1, 10.0), (2, 8.0)):
            put_rating(session, user_id, find_by_isbn(session, isbn(number)) or 0, value)

    import_source(db, source)

    assert ratings_of(db, "1") == {"Ash": 10.0, "Birch": 8.0}


def test_what_a_reader_does_with_a_replaced_book_happens_to_its_heir(db: Database) -> None:
    plain = ListSource(edition_list=[edition(1, "Ash")], user_list=[user("1"), user("2")])
    import_source(db, plain)
    old = book_of(db, 1).book_id
    import_source(db, replace(plain, work_list=[work("A", "Ash")], edition_list=[edition(1, "Ash", of="A")]))
    new = book_of(db, 1).book_id

    with db.session(write=True) as session:
        rater, dismisser = (find_user(session, "lists", name) or 0 for name in ("1", "2"))
        put_rating(session, rater, old, 8.0)
        dismiss(session, dismisser, old)
        readers = [read_profile(session, user_id) for user_id in (rater, dismisser)]
        was_deleted = delete_rating(session, rater, old)

    assert [reader and (reader.history, reader.dismissed, reader.replaced) for reader in readers] == [
        (((new, 8.0),), frozenset(), {old}),
        ((), {new}, {old}),
    ]
    assert was_deleted
