"""Operators and imports that come at the same time take turns, on each database."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

import catalog.identity
import catalog.sqlite
from catalog.books import find_by_isbn
from catalog.database import Database, is_busy
from catalog.editing.books import add_book, change_book, merge_book
from catalog.editing.fields import BookFields
from catalog.errors import EditConflict
from catalog.identity import lock_catalog
from catalog.importing import import_source
from catalog.tables import Book
from tests.catalog.shelf import ListSource, edition, isbn, rating, work

PAIRS = 4
SHELF = ListSource(
    [work(str(number), f"Title {number}", f"Author {number}") for number in range(2 * PAIRS)],
    [edition(number, "", of=str(number)) for number in range(2 * PAIRS)],
    rating_list=[rating("1", number, "9") for number in range(2 * PAIRS)],
)


@pytest.fixture
def shelf(db: Database) -> list[int]:
    """The ids of some books."""
    import_source(db, SHELF)
    with db.session() as session:
        return [find_by_isbn(session, isbn(number)) or 0 for number in range(2 * PAIRS)]


def test_of_two_who_merge_two_books_into_one_another_one_is_told_no(db: Database, shelf: list[int]) -> None:
    start = threading.Barrier(2)

    def merge(books: tuple[int, int]) -> str | None:
        start.wait()
        try:
            with db.session(write=True) as session:
                merge_book(session, *books)
        except EditConflict as error:
            return str(error)
        return None

    with ThreadPoolExecutor(2) as threads:
        for one, other in zip(shelf[::2], shelf[1::2], strict=True):
            told = list(threads.map(merge, [(one, other), (other, one)]))
            assert sorted(text is None for text in told) == [False, True]

    with db.session() as session:
        heirs = session.scalars(select(Book.replaced_by).where(Book.replaced_by.is_not(None))).all()
    assert len(heirs) == PAIRS


def test_books_that_are_added_at_once_have_ids_of_their_own(db: Database, shelf: list[int]) -> None:
    def add(number: int) -> int:
        with db.session(write=True) as session:
            return add_book(session, BookFields(title=f"New {number}", authors=["Somebody New"]))

    with ThreadPoolExecutor(4) as threads:
        added = list(threads.map(add, range(8)))

    assert len({*added, *shelf}) == 8 + len(shelf)


def test_a_change_while_an_import_reads_its_source_does_not_wait_and_stays(
    db: Database, shelf: list[int]
) -> None:
    began, go_on = threading.Event(), threading.Event()

    class Slow(ListSource):
        def works(self, log):  # type: ignore[no-untyped-def]
            began.set()
            go_on.wait(10)
            return super().works(log)

    def change() -> None:
        with db.session(write=True) as session:
            change_book(session, shelf[0], BookFields(title="Oak"))

    with ThreadPoolExecutor(2) as threads:
        importing = threads.submit(import_source, db, Slow(SHELF.work_list, SHELF.edition_list))
        began.wait(10)
        threads.submit(change).result(10)
        go_on.set()
        importing.result(10)

    with db.session() as session:
        assert session.get_one(Book, shelf[0]).title == "Oak"


def test_who_waits_too_long_is_refused_and_can_be_told_so(
    db: Database, shelf: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        catalog.identity, "_SET_TIMEOUT", {
            "mysql": "SET innodb_lock_wait_timeout = 1",
            "mariadb": "SET innodb_lock_wait_timeout = 1",
            "postgresql": "SET LOCAL lock_timeout = '1s'",
        },
    )  # fmt: skip
    monkeypatch.setattr(catalog.sqlite, "BUSY_TIMEOUT_MS", 1_000)
    db.close()

    with db.session(write=True) as holder:
        lock_catalog(holder.connection())
        with pytest.raises(SQLAlchemyError) as refused, db.session(write=True) as session:
            change_book(session, shelf[0], BookFields(title="Oak"))

    assert is_busy(refused.value)
