"""Accounts, books, ratings and events know when they came into the catalog."""

import time

import pytest
from sqlalchemy import select, update

from catalog.books import find_by_isbn
from catalog.database import Database
from catalog.events import dismiss
from catalog.importing import import_source
from catalog.merging.merge import merge_books
from catalog.merging.undo import undo_merges
from catalog.ratings import put_rating
from catalog.tables import Base, Book, Event, Rating, User
from catalog.users import find_user
from tests.catalog.shelf import ListSource, edition, isbn, rating, user

LONG_AGO = 1_000_000_000
LIBRARY = ListSource(
    edition_list=[edition(1, "Ash"), edition(2, "Birch"), edition(3, "Cedar")],
    user_list=[user("1")],
    rating_list=[rating("1", 1, "9", at=5), rating("2", 2, "3")],
)


@pytest.fixture
def library(db: Database) -> Database:
    import_source(db, LIBRARY)
    return db


def read_times(db: Database, table: type[Base]) -> list[int | None]:
    with db.session() as session:
        return list(session.scalars(select(table.__table__.c.created_at)))


def set_times(db: Database) -> None:
    with db.session(write=True) as session:
        for table in (Book, Rating, User):
            session.execute(update(table).values(created_at=LONG_AGO))


def find(db: Database, number: int) -> tuple[int, int]:
    """A reader, and the book of this made-up ISBN."""
    with db.session() as session:
        return find_user(session, "lists", "1") or 0, find_by_isbn(session, isbn(number)) or 0


@pytest.mark.parametrize("table", [Book, Rating, User])
def test_an_import_tells_when(library: Database, table: type[Base]) -> None:
    times = read_times(library, table)

    assert len(times) >= 2
    assert all(each is not None and 0 <= time.time() - each < 60 for each in times)


@pytest.mark.parametrize("table", [Book, Rating, User])
def test_a_later_import_leaves_the_time_of_the_first(library: Database, table: type[Base]) -> None:
    set_times(library)

    import_source(
        library,
        ListSource(
            LIBRARY.work_list, LIBRARY.edition_list, [user("1", age="50")], [rating("1", 1, "2", at=9)]
        ),
    )

    assert set(read_times(library, table)) == {LONG_AGO}


def test_a_rating_given_here_tells_when_it_was_first_given(library: Database) -> None:
    set_times(library)
    reader, rated = find(library, 1)
    _, unrated = find(library, 3)

    with library.session(write=True) as session:
        put_rating(session, reader, rated, 4.0)
        put_rating(session, reader, unrated, 4.0)

    times = sorted(each or 0 for each in read_times(library, Rating))
    assert times[:2] == [LONG_AGO, LONG_AGO]
    assert time.time() - times[2] < 60


def test_a_dismissal_tells_when(library: Database) -> None:
    with library.session(write=True) as session:
        dismiss(session, *find(library, 1))

    (created_at,) = read_times(library, Event)
    assert created_at is not None
    assert time.time() - created_at < 60


def test_merging_and_splitting_leave_the_time(library: Database) -> None:
    set_times(library)
    (_, ash), (_, birch) = find(library, 1), find(library, 2)

    with library.session(write=True) as session:
        merge_books(session.connection(), {ash: birch})
    merged = read_times(library, Rating)
    with library.session(write=True) as session:
        undo_merges(session.connection(), [ash])

    assert merged == read_times(library, Rating) == [LONG_AGO, LONG_AGO]
