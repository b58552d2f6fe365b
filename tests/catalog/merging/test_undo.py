"""An undone merge leaves the catalog as it was before, on each database."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from catalog.books import find_by_isbn, read_titles
from catalog.database import Database
from catalog.editing.books import split_book
from catalog.errors import BookNotMerged, BookUnknown
from catalog.events import dismiss
from catalog.identity import read_state
from catalog.importing import import_source
from catalog.merging.merged import list_merges
from catalog.ratings import delete_rating, put_rating
from catalog.tables import Base, Book
from catalog.users import find_user, read_profile
from tests.catalog.shelf import ListSource, edition, isbn, rating, user, work

APART = ListSource(
    [work("A", "Ash", "Ada Lovelace", "Dragons"), work("B", "Birch", "Ada Lovelace", "Ghosts", "Soups")],
    [edition(1, "Ash", of="A"), edition(2, "Birch", of="B"), edition(3, "Birch", of="B")],
    [user("dismisser")],
    [
        rating("of both", 1, "3"), rating("of both", 2, "9"), rating("of ash", 1, "5"),
        rating("of birch", 2, "8"), rating("alike", 1, "0"), rating("alike", 3, "0"),
    ],
)  # fmt: skip
MERGED = replace(APART, work_list=[APART.work_list[0], work("B", "Ash")], rating_list=())
"""The same, but somebody has given Birch a wrong title."""


@pytest.fixture
def merged(db: Database) -> Database:
    """A catalog whose book Birch was merged into Ash."""
    import_source(db, APART)
    with db.session(write=True) as session:
        dismiss(session, find_user(session, "lists", "dismisser") or 0, book_of(db, 2))
    import_source(db, MERGED)
    assert book_of(db, 2) == book_of(db, 1)
    return db


def book_of(db: Database, number: int) -> int:
    with db.session() as session:
        book_id = find_by_isbn(session, isbn(number))
    assert book_id is not None
    return book_id


def contents(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row but favourites and reports, which imports make, and what a merge is to change."""
    left_out = {"revision", "split_from"}
    with db.session() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(
                    select(*(column for column in table.columns if column.name not in left_out)).order_by(
                        *table.primary_key
                    )
                )
            ]
            for table in Base.metadata.sorted_tables
            if table.name not in ("user_subjects", "jobs", "import_reports")
        }


def rated(db: Database, name: str) -> dict[int, float | None]:
    with db.session() as session:
        reader = read_profile(session, find_user(session, "lists", name) or 0)
    assert reader is not None
    return dict(reader.history)


def split(db: Database, book_id: int) -> int:
    with db.session(write=True) as session:
        return split_book(session, book_id)


def birch_of(db: Database) -> int:
    with db.session() as session:
        [book_id] = session.scalars(select(Book.book_id).filter_by(external_id="B"))
    return book_id


def test_a_split_book_has_its_editions_ratings_events_and_subjects_again(db: Database) -> None:
    import_source(db, APART)
    with db.session(write=True) as session:
        dismiss(session, find_user(session, "lists", "dismisser") or 0, book_of(db, 2))
    before = contents(db)
    import_source(db, MERGED)
    during = contents(db)

    heir = split(db, birch_of(db))

    assert heir == book_of(db, 1)
    assert during["ratings"] != before["ratings"]
    assert contents(db) == before


def test_the_next_import_does_not_merge_a_split_book_again(merged: Database) -> None:
    birch = birch_of(merged)
    split(merged, birch)
    before = contents(merged)

    import_source(merged, MERGED)

    after = contents(merged)
    assert [after[name] for name in ("editions", "ratings", "events")] == [
        before[name] for name in ("editions", "ratings", "events")
    ]
    assert book_of(merged, 2) == book_of(merged, 3) == birch


def test_a_split_book_keeps_its_isbns_when_a_work_claims_them(db: Database) -> None:
    editions = [edition(1, "Ash"), edition(2, "Birch")]
    import_source(
        db, ListSource(edition_list=editions, rating_list=[rating("1", 1, "5"), rating("2", 2, "8")])
    )
    ash, birch = book_of(db, 1), book_of(db, 2)
    claims = ListSource([work("W", "Ash")], [each._replace(work="W") for each in editions])
    import_source(db, claims)

    split(db, birch)
    import_source(db, claims)

    assert book_of(db, 2) == birch
    assert book_of(db, 1) not in (ash, birch)
    assert rated(db, "2") == {birch: 8.0}


def test_a_work_that_never_was_a_book_of_its_own_gets_its_ratings_with_the_next_import(db: Database) -> None:
    same_title = replace(APART, work_list=MERGED.work_list)
    import_source(db, same_title)

    split(db, birch_of(db))
    import_source(db, same_title)

    birch, ash = birch_of(db), book_of(db, 1)
    assert rated(db, "of birch") == {birch: 8.0}
    assert rated(db, "of both") == {ash: 3.0, birch: 9.0}
    assert rated(db, "of ash") == {ash: 5.0}


def test_what_readers_did_with_the_heir_since_stays(merged: Database) -> None:
    ash, birch = book_of(merged, 1), birch_of(merged)
    with merged.session(write=True) as session:
        again, regretful = (find_user(session, "lists", name) or 0 for name in ("of birch", "of both"))
        put_rating(session, again, ash, 2.0)
        delete_rating(session, regretful, ash)

    split(merged, birch)
    import_source(merged, APART)

    assert rated(merged, "of birch") == {ash: 2.0, birch: 8.0}
    assert rated(merged, "of both") == {}


def test_of_two_books_in_one_each_can_be_split_first(db: Database) -> None:
    editions = [edition(n, f"Ash {n}") for n in (1, 2, 3)]
    ratings = [rating("1", 1, "5"), rating("1", 2, "9"), rating("1", 3, "7")]
    import_source(db, ListSource(edition_list=editions, rating_list=ratings))
    first, second = book_of(db, 1), book_of(db, 2)
    import_source(db, ListSource([work("W", "Ash")], [each._replace(work="W") for each in editions]))
    heir = book_of(db, 1)
    whole = rated(db, "1")

    split(db, second)
    without_second = rated(db, "1")
    split(db, first)

    assert whole == {heir: 9.0}
    assert without_second == {heir: 7.0, second: 9.0}
    assert rated(db, "1") == {heir: 7.0, second: 9.0, first: 5.0}
    assert book_of(db, 3) == heir


def test_a_book_that_was_merged_twice_over_comes_back_with_those_that_were_its_own(db: Database) -> None:
    editions = [edition(1, "Ash"), edition(2, "Birch")]
    import_source(
        db, ListSource(edition_list=editions, rating_list=[rating("1", 1, "5"), rating("2", 2, "8")])
    )
    ash = book_of(db, 1)
    import_source(db, ListSource([work("V", "Ash")], [edition(1, "Ash", of="V"), edition(2, "Birch")]))
    middle = book_of(db, 1)
    import_source(db, ListSource([work("W", "Ash")], [each._replace(work="W") for each in editions]))

    split(db, middle)
    after_one = rated(db, "1")
    split(db, ash)

    assert after_one == {middle: 5.0}
    assert rated(db, "1") == {ash: 5.0}
    assert book_of(db, 1) == ash


def test_a_split_gives_caches_and_readers_new_names(merged: Database) -> None:
    with merged.session() as session:
        before = read_state(session)

    split(merged, birch_of(merged))

    with merged.session() as session:
        assert read_state(session) != before


def test_what_was_not_merged_cannot_be_split(merged: Database) -> None:
    with pytest.raises(BookNotMerged, match="bookmesh books merges"):
        split(merged, book_of(merged, 1))
    with pytest.raises(BookUnknown):
        split(merged, 999)


def test_merges_are_listed_with_what_the_books_had(merged: Database) -> None:
    with merged.session() as session:
        [row] = list_merges(session, limit=10)
        heir = read_titles(session, [row.heir_id])[row.heir_id]

    assert (row.book_id, row.external_id, row.title, heir.title) == (birch_of(merged), "B", "Birch", "Ash")
    assert (row.n_editions, row.n_ratings) == (2, 3)
    assert row.merged_at is not None
