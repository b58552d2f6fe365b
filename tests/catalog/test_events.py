"""What readers do besides rating, in every database: nothing twice, and lists change only if they should."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from typing import TypeVar

import pytest
from sqlalchemy import select, update

from catalog.books import find_by_isbn
from catalog.database import Database
from catalog.editing.books import merge_book, split_book
from catalog.errors import BookRated, BookUnknown, UserUnknown
from catalog.events import MarkedBook, NewEvent, Recorded, dismiss, read_marked, record, shelve, unmark
from catalog.importing import import_source
from catalog.ratings import delete_rating, put_rating
from catalog.tables import Book, Event, EventKind, Hidden, MergedEvent
from catalog.users import find_user, read_profile, read_revision
from tests.catalog.shelf import ListSource, edition, event, isbn, user

ResultT = TypeVar("ResultT")

MANY = 6
NOWHERE = 999
TITLES = ("Ash", "Birch", "Cedar")


@pytest.fixture
def library(db: Database) -> Database:
    import_source(
        db,
        ListSource(
            edition_list=[edition(number, title) for number, title in enumerate(TITLES, start=1)],
            user_list=[user("1"), user("2")],
        ),
    )
    return db


@pytest.fixture
def reader(library: Database) -> int:
    with library.session() as session:
        return find_user(session, "lists", "1") or 0


@pytest.fixture
def books(library: Database) -> list[int]:
    """Ash, Birch and Cedar."""
    with library.session() as session:
        return [find_by_isbn(session, isbn(number)) or 0 for number in (1, 2, 3)]


def shown(book_id: int, list_id: str = "a", position: int | None = None) -> NewEvent:
    return NewEvent(book_id, EventKind.IMPRESSION, 100, list_id, "home", position)


def did(kind: EventKind, book_id: int, at: int = 100, list_id: str | None = "a") -> NewEvent:
    return NewEvent(book_id, kind, at, list_id)


def tell(db: Database, user_id: int, *events: NewEvent) -> Recorded:
    return db.write(lambda session: record(session, user_id, events))


def stored(db: Database) -> list[tuple[int, int, str, str | None]]:
    with db.session() as session:
        columns = select(Event.user_id, Event.book_id, Event.kind, Event.list_id)
        return [tuple(row) for row in session.execute(columns.order_by(Event.event_id))]


def revision(db: Database, user_id: int) -> str | None:
    with db.session() as session:
        return read_revision(session, user_id)


def marked(db: Database, user_id: int, kind: EventKind, limit: int = 10, offset: int = 0) -> list[int]:
    with db.session() as session:
        _, page = read_marked(session, user_id, kind, limit=limit, offset=offset)
    return [book.book_id for book in page]


def test_an_event_keeps_where_the_reader_met_the_book(
    library: Database, reader: int, books: list[int]
) -> None:
    tell(library, reader, NewEvent(books[0], EventKind.CLICK, 100, "a list", "home", 3))

    with library.session() as session:
        columns = select(Event.book_id, Event.kind, Event.at, Event.list_id, Event.surface, Event.position)
        assert session.execute(columns).all() == [(books[0], "click", 100, "a list", "home", 3)]


def test_a_batch_that_comes_again_adds_nothing(library: Database, reader: int, books: list[int]) -> None:
    batch = [shown(books[0]), shown(books[1]), *(did(kind, books[0]) for kind in EventKind)]

    first = tell(library, reader, *batch)
    rows = stored(library)
    again = tell(library, reader, *batch)

    assert (first, again) == (Recorded(7, 1, ()), Recorded(0, 8, ()))
    assert stored(library) == rows


def test_a_book_counts_as_shown_once_per_list_whatever_its_place(
    library: Database, reader: int, books: list[int]
) -> None:
    told = tell(library, reader, *(shown(books[0], each, place) for each in "abba" for place in (1, 2)))

    assert (told.n_new, told.n_known) == (2, 6)
    assert stored(library) == [(reader, books[0], "impression", each) for each in "ab"]


@pytest.mark.parametrize(
    ("kind", "n_new"), [("view", 3), ("click", 3), ("like", 1), ("to_read", 1), ("dismiss", 1)]
)
def test_what_can_be_done_again_counts_again(
    library: Database, reader: int, books: list[int], kind: str, n_new: int
) -> None:
    events = [did(EventKind(kind), books[0], *each) for each in [(1, "a"), (2, "a"), (1, "b"), (1, "a")]]

    assert tell(library, reader, *events).n_new == n_new


def test_of_books_that_are_gone_nothing_is_stored_and_the_rest_is(
    library: Database, reader: int, books: list[int]
) -> None:
    with library.session(write=True) as session:
        session.execute(update(Book).filter_by(book_id=books[1]).values(hidden=Hidden.WITHDRAWN))

    told = tell(library, reader, shown(NOWHERE), shown(books[1]), shown(books[0]))

    assert told == Recorded(1, 0, (books[1], NOWHERE))
    assert stored(library) == [(reader, books[0], "impression", "a")]


def test_nobody_s_events_are_refused(library: Database, books: list[int]) -> None:
    with pytest.raises(UserUnknown):
        tell(library, NOWHERE, shown(books[0]))


def test_lists_change_with_what_is_evidence_and_only_then(
    library: Database, reader: int, books: list[int]
) -> None:
    batches = [
        [did(EventKind.CLICK, books[0])],  # new evidence
        [shown(each) for each in books],
        [did(EventKind.CLICK, books[0], 200)],  # of which there is enough already
        [shown(NOWHERE), did(EventKind.CLICK, NOWHERE)],
        [shown(books[0], "b"), did(EventKind.LIKE, books[0])],
        [did(EventKind.LIKE, books[0])],
    ]
    seen = [revision(library, reader)]

    for batch in batches:
        tell(library, reader, *batch)
        seen.append(revision(library, reader))

    assert [one != other for one, other in pairwise(seen)] == [True, False, False, False, True, False]


@pytest.mark.parametrize("kind", [EventKind.DISMISS, EventKind.TO_READ])
def test_what_is_marked_and_taken_back_is_as_before(
    library: Database, reader: int, books: list[int], kind: EventKind
) -> None:
    put = {EventKind.DISMISS: dismiss, EventKind.TO_READ: shelve}[kind]
    before = revision(library, reader)

    assert [library.write(lambda session: put(session, reader, books[0])) for _ in "12"] == [True, False]
    during = revision(library, reader)
    assert marked(library, reader, kind) == [books[0]]

    taken = [library.write(lambda session: unmark(session, reader, books[0], kind)) for _ in "12"]
    assert taken == [True, False]
    assert stored(library) == []
    assert len({before, during, revision(library, reader)}) == 3


def test_marked_books_come_newest_first_in_pages(library: Database, reader: int, books: list[int]) -> None:
    ash, birch, cedar = books
    tell(library, reader, *(did(EventKind.DISMISS, *each) for each in [(ash, 5), (birch, 9), (cedar, 7)]))

    with library.session() as session:
        total, page = read_marked(session, reader, EventKind.DISMISS, limit=2, offset=0)

    assert (total, page) == (3, [MarkedBook(birch, 9), MarkedBook(cedar, 7)])
    assert marked(library, reader, EventKind.DISMISS, offset=2) == [ash]


def test_a_rating_takes_a_book_off_the_shelf(library: Database, reader: int, books: list[int]) -> None:
    for book_id in books[:2]:
        library.write(lambda session, book_id=book_id: shelve(session, reader, book_id))

    library.write(lambda session: put_rating(session, reader, books[0], 8.0))

    assert marked(library, reader, EventKind.TO_READ) == [books[1]]
    with pytest.raises(BookRated):
        library.write(lambda session: shelve(session, reader, books[0]))


def test_a_rating_that_is_taken_back_leaves_the_shelf_as_it_was(
    library: Database, reader: int, books: list[int]
) -> None:
    library.write(lambda session: shelve(session, reader, books[0]))
    library.write(lambda session: put_rating(session, reader, books[0], 8.0))

    library.write(lambda session: delete_rating(session, reader, books[0]))

    assert marked(library, reader, EventKind.TO_READ) == [books[0]]


def test_the_shelf_of_a_dump_is_the_reader_s(library: Database, reader: int, books: list[int]) -> None:
    undated = [event("1", number, EventKind.TO_READ, at=None) for number in (1, 2)]
    import_source(library, ListSource(event_list=undated))

    assert set(marked(library, reader, EventKind.TO_READ)) == set(books[:2])
    assert library.write(lambda session: shelve(session, reader, books[0])) is False


@pytest.mark.parametrize("put", [dismiss, shelve])
def test_a_book_that_is_not_there_can_not_be_marked(
    library: Database, reader: int, put: Callable[..., bool]
) -> None:
    with pytest.raises(BookUnknown):
        library.write(lambda session: put(session, reader, NOWHERE))


def test_events_go_to_the_heir_and_back_as_they_were(
    library: Database, reader: int, books: list[int]
) -> None:
    ash, birch, _ = books
    tell(library, reader, NewEvent(birch, EventKind.CLICK, 100, "a list", "home", 3), shown(birch))
    before = read_events(library)
    library.write(lambda session: merge_book(session, birch, ash))

    told = tell(library, reader, shown(birch), did(EventKind.LIKE, birch))

    merged = read_events(library)
    assert {row[0] for row in merged} == {ash}
    assert [row[1:] for row in merged[:2]] == [row[1:] for row in before]
    assert (told.n_new, told.n_known) == (1, 1)
    library.write(lambda session: split_book(session, birch))
    assert read_events(library)[:2] == before


def read_events(db: Database) -> list[tuple[object, ...]]:
    columns = select(Event.book_id, Event.kind, Event.at, Event.list_id, Event.surface, Event.position)
    with db.session() as session:
        return [tuple(row) for row in session.execute(columns.order_by(Event.event_id))]


def test_what_is_taken_back_of_a_merged_book_comes_back_to_nobody(
    library: Database, reader: int, books: list[int]
) -> None:
    """SQLite gives the number of a deleted event to the next one."""
    ash, birch, cedar = books
    library.write(lambda session: dismiss(session, reader, birch))
    library.write(lambda session: merge_book(session, birch, ash))

    library.write(lambda session: unmark(session, reader, birch, EventKind.DISMISS))
    library.write(lambda session: dismiss(session, reader, cedar))
    library.write(lambda session: split_book(session, birch))

    assert marked(library, reader, EventKind.DISMISS) == [cedar]
    with library.session() as session:
        assert session.scalars(select(MergedEvent.event_id)).all() == []


def test_a_withdrawn_book_is_among_no_marked_ones_and_comes_back(
    library: Database, reader: int, books: list[int]
) -> None:
    library.write(lambda session: dismiss(session, reader, books[0]))

    def hide(reason: str | None) -> list[int]:
        with library.session(write=True) as session:
            session.execute(update(Book).filter_by(book_id=books[0]).values(hidden=reason))
        return marked(library, reader, EventKind.DISMISS)

    assert (hide(Hidden.WITHDRAWN), hide(None)) == ([], [books[0]])


def together(work: Callable[[], ResultT]) -> list[ResultT]:
    """What many get who do the same at once."""
    barrier = threading.Barrier(MANY)

    def wait_and_do(_: int) -> ResultT:
        barrier.wait(10)
        return work()

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(wait_and_do, range(MANY)))


def test_a_batch_that_comes_from_several_at_once_is_stored_once(
    library: Database, reader: int, books: list[int]
) -> None:
    batch = [*(shown(each) for each in books), *(did(EventKind.VIEW, each) for each in reversed(books))]

    told = together(lambda: tell(library, reader, *batch))

    assert sorted(each.n_new for each in told) == [0] * (MANY - 1) + [6]
    assert len(stored(library)) == 6


@pytest.mark.parametrize("put", [dismiss, shelve])
def test_of_those_who_mark_and_unmark_a_book_at_once_one_is_first(
    library: Database, reader: int, books: list[int], put: Callable[..., bool]
) -> None:
    kind = EventKind.DISMISS if put is dismiss else EventKind.TO_READ

    new = together(lambda: library.write(lambda session: put(session, reader, books[0])))
    assert len(stored(library)) == 1
    taken = together(lambda: library.write(lambda session: unmark(session, reader, books[0], kind)))

    assert new.count(True) == taken.count(True) == 1
    assert stored(library) == []


def test_a_book_that_is_rated_and_shelved_at_once_is_rated_and_not_on_the_shelf(
    library: Database, reader: int, books: list[int]
) -> None:
    turns = iter(range(MANY))

    def rate_or_shelve(session: object) -> None:
        write = put_rating if next(turns) % 2 else shelve
        arguments = (8.0,) if write is put_rating else ()
        write(session, reader, books[0], *arguments)  # type: ignore[operator]

    def try_it() -> None:
        with suppress(BookRated):
            library.write(rate_or_shelve)

    together(try_it)

    assert marked(library, reader, EventKind.TO_READ) == []
    with library.session() as session:
        profile = read_profile(session, reader)
    assert profile is not None
    assert profile.history == ((books[0], 8.0),)
