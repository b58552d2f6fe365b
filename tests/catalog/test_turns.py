"""Writers that meet: who loses a deadlock tries again, and nobody writes by what has just changed."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import catalog.importing.ratings
import catalog.importing.run
from catalog.books import find_by_isbn
from catalog.database import MOST_ATTEMPTS, Database
from catalog.editing.books import merge_book
from catalog.events import dismiss
from catalog.importing import import_source
from catalog.ratings import delete_rating, put_rating
from catalog.tables import Event, Rating, User
from tests.catalog.conftest import clear
from tests.catalog.shelf import ListSource, edition, isbn, rating, user

A_WHILE_S = 0.3
"""For a thread to come to where it waits, or to do what it should not."""
LIBRARY = {
    "edition_list": [edition(1, "Ash"), edition(2, "Birch"), edition(3, "Cedar")],
    "user_list": [user("1"), user("2")],
    "rating_list": [rating("1", 1, "9"), rating("2", 2, "3")],
}


@pytest.fixture
def library(db: Database) -> Database:
    import_source(db, ListSource(**LIBRARY))
    return db


@pytest.fixture(params=["mariadb", "postgresql"])
def server(request: pytest.FixtureRequest) -> Database:
    """A library in a database that has several writers at once."""
    database: Database = request.getfixturevalue(request.param)
    clear(database)
    import_source(database, ListSource(**LIBRARY))
    return database


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """Somebody else."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def book_of(db: Database, number: int) -> int:
    with db.session() as session:
        return find_by_isbn(session, isbn(number)) or 0


def users_of(db: Database) -> list[int]:
    with db.session() as session:
        return list(session.scalars(select(User.user_id).order_by(User.user_id)))


def ratings_of(db: Database, user_id: int) -> dict[int, float | None]:
    with db.session() as session:
        rows = session.execute(select(Rating.book_id, Rating.rating).filter_by(user_id=user_id))
        return {row.book_id: row.rating for row in rows}


def test_who_loses_a_deadlock_does_it_all_again(server: Database, thread: ThreadPoolExecutor) -> None:
    first, second = users_of(server)
    both_hold_one = threading.Barrier(2)
    attempts: list[list[int]] = []

    def change(user_ids: list[int]) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            attempts.append(user_ids)
            for place, user_id in enumerate(user_ids):
                if place and attempts.count(user_ids) == 1:
                    both_hold_one.wait(10)
                bump = update(User).where(User.user_id == user_id).values(revision=User.revision + 1)
                session.execute(bump)

        return work

    other = thread.submit(server.write, change([second, first]))
    with server.session() as session:
        before = session.scalars(select(User.revision).order_by(User.user_id)).all()
    server.write(change([first, second]))
    other.result(10)

    with server.session() as session:
        after = session.scalars(select(User.revision).order_by(User.user_id)).all()
    assert [new - old for new, old in zip(after, before, strict=True)] == [2, 2]
    assert len(attempts) >= 3  # who was late may lose once more


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Exception(1213, "Deadlock found"), MOST_ATTEMPTS),
        (Exception(1205, "Lock wait timeout exceeded"), 1),
    ],
    ids=["who always loses", "who waited too long"],
)
def test_what_cannot_be_written_is_told_in_the_end(server: Database, error: Exception, expected: int) -> None:
    n_attempts = 0

    def fail(session: Session) -> None:
        nonlocal n_attempts
        n_attempts += 1
        raise OperationalError("UPDATE", None, error)

    with pytest.raises(OperationalError):
        server.write(fail)

    assert n_attempts == expected


def test_a_rating_that_another_one_has_changed_since_it_was_read_can_be_changed(server: Database) -> None:
    """MariaDB from 11.6 on refuses that, unless told to show each statement what is there by then."""
    user_id, ash = users_of(server)[0], book_of(server, 1)
    of_ash = update(Rating).where(Rating.book_id == ash)

    with server.session(write=True) as session:
        assert session.scalar(select(Rating.rating).filter_by(book_id=ash)) == 9.0
        with server.session(write=True) as other:
            other.execute(of_ash.values(rating=5.0))
        session.execute(of_ash.values(rating=Rating.rating + 1))

    assert ratings_of(server, user_id)[ash] == 6.0


def rate(session: Session, user_id: int, book_id: int) -> None:
    put_rating(session, user_id, book_id, 7.0)


@pytest.mark.parametrize("write", [rate, dismiss])
def test_what_a_reader_does_while_a_book_is_merged_is_done_to_its_heir(
    library: Database, thread: ThreadPoolExecutor, write: Callable[[Session, int, int], object]
) -> None:
    user_id, birch, cedar = users_of(library)[0], book_of(library, 2), book_of(library, 3)

    with library.session(write=True) as session:
        merge_book(session, birch, cedar)
        writing = thread.submit(library.write, lambda session: write(session, user_id, birch))
        wait([writing], A_WHILE_S)
    writing.result(10)

    with library.session() as session:
        ids = session.scalars(
            select(Rating.book_id)
            .where(Rating.user_id == user_id, Rating.rating == 7.0)
            .union(select(Event.book_id))
        )
        assert ids.all() == [cedar]


@pytest.mark.parametrize("write", [rate, delete_rating, dismiss])
def test_a_merge_waits_for_what_a_reader_is_doing_to_the_book(
    library: Database, thread: ThreadPoolExecutor, write: Callable[[Session, int, int], object]
) -> None:
    user_id, ash, cedar = users_of(library)[0], book_of(library, 1), book_of(library, 3)

    with library.session(write=True) as session:
        write(session, user_id, ash)
        merging = thread.submit(library.write, lambda session: merge_book(session, ash, cedar))
        wait([merging], A_WHILE_S)
    merging.result(10)

    check_done_to(library, cedar, user_id, write)


def check_done_to(db: Database, book_id: int, user_id: int, write: object) -> None:
    with db.session() as session:
        dismissed = list(session.scalars(select(Event.book_id).filter_by(user_id=user_id)))
    rated = {rate: {book_id: 7.0}, delete_rating: {}, dismiss: {book_id: 9.0}}
    assert ratings_of(db, user_id) == rated[write]
    assert dismissed == ([book_id] if write is dismiss else [])


@pytest.mark.parametrize("number", [1, 2, 3], ids=["changed", "new to the reader", "nobody's yet"])
@pytest.mark.parametrize("moment", ["read_ratings", "write_favourites"])
def test_neither_an_import_nor_who_rates_what_it_writes_fails(
    library: Database, thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, number: int, moment: str
) -> None:
    user_id, book_id = users_of(library)[0], book_of(library, number)
    meanwhile: list[Future[None]] = []
    module = catalog.importing.ratings if moment == "read_ratings" else catalog.importing.run
    done = getattr(module, moment)

    def do_and_let_rate(*arguments: object) -> object:
        result = done(*arguments)
        meanwhile.append(thread.submit(library.write, lambda session: rate(session, user_id, book_id)))
        wait(meanwhile, A_WHILE_S)
        return result

    monkeypatch.setattr(module, moment, do_and_let_rate)
    newer = [rating("1", each, "4") for each in (1, 2, 3)]

    import_source(library, ListSource(**{**LIBRARY, "rating_list": newer}))

    meanwhile[0].result(10)
    assert ratings_of(library, user_id)[book_id] == 7.0
