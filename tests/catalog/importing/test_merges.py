"""What becomes of readers' ratings when books turn out to be one, on each database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from catalog.books import find_by_isbn, read_titles
from catalog.database import Database
from catalog.events import dismiss
from catalog.importing import import_source
from catalog.ratings import delete_rating, put_rating
from catalog.tables import Book, Edition, Rating, User
from catalog.users import find_user, read_profile
from tests.catalog.shelf import ListSource, edition, isbn, rating, user, work

LONG_AGO, IN_THE_FUTURE = 100, 4_000_000_000
TWO_BOOKS = [edition(1, "Ash"), edition(2, "Birch")]
ONE_BOOK = ListSource([work("A", "Ash")], [edition(1, "Ash", of="A"), edition(2, "Birch", of="A")])
"""Open Library knows better: the two are editions of one work."""


def book_of(db: Database, number: int) -> int:
    with db.session() as session:
        book_id = find_by_isbn(session, isbn(number))
    assert book_id is not None
    return book_id


def ratings_of(db: Database, name: str) -> dict[str, float | None]:
    """Ratings of a reader by title."""
    with db.session() as session:
        reader = read_profile(session, find_user(session, "lists", name) or 0)
        assert reader is not None
        titles = read_titles(session, [book_id for book_id, _ in reader.history])
    return {titles[book_id].title: value for book_id, value in reader.history}


def rate(db: Database, name: str, number: int, value: float | None, source: str = "lists") -> None:
    with db.session(write=True) as session:
        put_rating(session, find_user(session, source, name) or 0, book_of(db, number), value)


def take_back(db: Database, name: str, number: int) -> None:
    with db.session(write=True) as session:
        assert delete_rating(session, find_user(session, "lists", name) or 0, book_of(db, number))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("9", 100), ("3", 200), 3.0),
        (("3", 200), ("9", 100), 3.0),
        (("3", 100), ("9", 200), 9.0),
        (("3", None), ("9", None), 9.0),
        (("9", None), ("3", None), 9.0),
        (("0", None), ("3", None), 3.0),
        (("9", 100), ("3", None), 9.0),
        (("3", 100), ("9", None), 9.0),
    ],
)
def test_of_two_ratings_the_newest_counts_if_both_are_dated_else_the_highest(
    db: Database, first: tuple[str, int | None], second: tuple[str, int | None], expected: float
) -> None:
    both = [rating("1", 1, *first), rating("1", 2, *second)]
    import_source(db, ListSource(edition_list=TWO_BOOKS, rating_list=both))

    import_source(db, ONE_BOOK)

    assert ratings_of(db, "1") == {"Ash": expected}


@pytest.mark.parametrize("number", [1, 2])
def test_what_was_given_here_goes_before_what_a_dump_says_without_a_date(db: Database, number: int) -> None:
    other = 3 - number
    import_source(db, ListSource(edition_list=TWO_BOOKS, rating_list=[rating("1", other, "10")]))
    rate(db, "1", number, 4.0)

    import_source(db, ONE_BOOK)

    assert ratings_of(db, "1") == {"Ash": 4.0}


def test_a_dated_rating_of_an_earlier_release_counts_as_given_here(db: Database) -> None:
    import_source(db, ListSource(edition_list=TWO_BOOKS, rating_list=[rating("1", 1, "10")]))
    with db.session(write=True) as session:
        session.execute(
            insert(Rating).values(
                user_id=find_user(session, "lists", "1"),
                book_id=book_of(db, 2),
                rating=2.0,
                rated_at=LONG_AGO,
            )
        )

    import_source(db, ONE_BOOK)

    assert ratings_of(db, "1") == {"Ash": 2.0}


def test_a_dump_that_rates_one_book_twice_is_read_by_the_same_rule(db: Database) -> None:
    dump = replace(ONE_BOOK, rating_list=[rating("1", 1, "9", at=100), rating("1", 2, "3", at=200)])

    import_source(db, dump)

    assert ratings_of(db, "1") == {"Ash": 3.0}


@contextmanager
def counting(db: Database) -> Iterator[list[str]]:
    """The statements that run in the block."""
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def make_bestseller(db: Database, first: int, user_ids: range) -> ListSource:
    """Two books that these readers have rated, one of two both; and the source that makes them one."""
    books = [edition(first, f"Ash {first}"), edition(first + 1, f"Birch {first}")]
    import_source(db, ListSource(edition_list=books))
    with db.session(write=True) as session:
        readers = [{"user_id": n, "source": "elsewhere", "external_id": str(n)} for n in user_ids]
        session.execute(insert(User), readers)
        for book_id, raters in ((book_of(db, first), user_ids), (book_of(db, first + 1), user_ids[::2])):
            session.execute(
                insert(Rating), [{"user_id": n, "book_id": book_id, "rating": 8.0} for n in raters]
            )
    key = f"work {first}"
    return ListSource([work(key, f"Ash {first}")], [each._replace(work=key) for each in books])


def test_a_merge_runs_the_same_statements_for_a_bestseller_as_for_any_book(db: Database) -> None:
    run: list[list[str]] = []
    for first, user_ids in ((1, range(1, 21)), (3, range(21, 20_021))):
        merging = make_bestseller(db, first, user_ids)
        with counting(db) as statements:
            import_source(db, merging)
        run.append(statements)
        with db.session() as session:
            heirs = session.scalars(select(Rating.book_id).where(Rating.user_id.in_(user_ids[:100]))).all()
        assert heirs == [book_of(db, first)] * len(user_ids[:100])

    assert run[0] == run[1]


def test_every_reader_whom_a_merge_concerns_has_a_new_revision(db: Database) -> None:
    import_source(db, ListSource(edition_list=[*TWO_BOOKS, edition(3, "Cedar")]))
    names = ["of the merged", "of the heir", "dismissed the merged", "dismissed the heir", "of neither"]
    import_source(db, ListSource(user_list=[user(name) for name in names], name="elsewhere"))
    import_source(db, replace(ONE_BOOK, edition_list=[edition(1, "Ash", of="A"), edition(2, "Birch")]))
    rate(db, names[0], 2, 8.0, "elsewhere")
    rate(db, names[1], 1, 8.0, "elsewhere")
    rate(db, names[4], 3, 8.0, "elsewhere")
    with db.session(write=True) as session:
        for name, number in ((names[2], 2), (names[3], 1)):
            dismiss(session, find_user(session, "elsewhere", name) or 0, book_of(db, number))
    before = revisions(db, names)

    import_source(db, ONE_BOOK)

    after = revisions(db, names)
    assert [name for name in names if after[name] != before[name]] == names[:4]


def revisions(db: Database, names: list[str]) -> dict[str, int]:
    with db.session() as session:
        of_names = select(User.external_id, User.revision).where(User.external_id.in_(names))
        return dict(session.execute(of_names).all())


RATED = ListSource(edition_list=TWO_BOOKS, rating_list=[rating("1", 1, "9"), rating("1", 2, "8")])


def test_a_rating_that_was_taken_back_does_not_return_with_the_same_dump(db: Database) -> None:
    import_source(db, RATED)
    take_back(db, "1", 1)

    report = import_source(db, RATED)

    assert ratings_of(db, "1") == {"Birch": 8.0}
    [dropped] = [file.dropped for file in report.files if file.name == "ratings"]
    assert dropped == {"reader took the rating back": 1}


def test_a_rating_given_here_after_one_was_taken_back_counts_like_any_other(db: Database) -> None:
    import_source(db, RATED)
    take_back(db, "1", 1)
    rate(db, "1", 1, 2.0)
    import_source(db, RATED)
    before = ratings_of(db, "1")
    with db.session(write=True) as session:  # as if the dump had brought it
        session.execute(update(Rating).values(rated_at=None))

    import_source(db, RATED)

    assert before == {"Ash": 2.0, "Birch": 8.0}
    assert ratings_of(db, "1") == {"Ash": 9.0, "Birch": 8.0}


def test_a_dump_s_rating_that_is_dated_after_the_taking_back_counts(db: Database) -> None:
    import_source(db, replace(RATED, rating_list=[rating("1", 1, "9", at=LONG_AGO)]))
    take_back(db, "1", 1)
    import_source(db, replace(RATED, rating_list=[rating("1", 1, "9", at=LONG_AGO)]))
    before = ratings_of(db, "1")

    import_source(db, replace(RATED, rating_list=[rating("1", 1, "7", at=IN_THE_FUTURE)]))

    assert (before, ratings_of(db, "1")) == ({}, {"Ash": 7.0})


def test_a_rating_that_was_taken_back_stays_so_when_its_book_becomes_another_one(db: Database) -> None:
    import_source(db, replace(RATED, rating_list=RATED.rating_list[:1]))
    take_back(db, "1", 1)

    import_source(db, replace(ONE_BOOK, rating_list=RATED.rating_list[:1]))
    import_source(db, replace(ONE_BOOK, rating_list=RATED.rating_list[:1]))

    assert ratings_of(db, "1") == {}


def test_a_rating_moves_with_its_book_however_often_that_is_merged(db: Database) -> None:
    import_source(db, RATED)
    first = book_of(db, 1)
    import_source(db, replace(ONE_BOOK, edition_list=[edition(1, "Ash", of="A"), edition(2, "Birch")]))

    import_source(
        db,
        ListSource(
            [work("B", "Birch")], [edition(1, "Ash", of="B"), edition(2, "Birch", of="B")], name="lists"
        ),
    )

    assert ratings_of(db, "1") == {"Birch": 9.0}
    with db.session() as session:
        assert session.scalar(select(Book.replaced_by).filter_by(book_id=first)) == book_of(db, 2)
        assert set(session.scalars(select(Edition.book_id))) == {book_of(db, 2)}
