"""What a gateway answers about a book that an operator has changed, before any version knows of it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from catalog.database import Database, open_database
from catalog.editing.books import add_book, restore_book, withdraw_book
from catalog.editing.editions import move_edition
from catalog.editing.fields import BookFields
from tests.gateway import running
from tests.gateway.running import SPACE_READER
from tests.servers.running import wait_until

ISBN = "9783161484100"


@pytest.fixture
def db(home: Path) -> Iterator[Database]:
    """The gateway's catalog, as a command opens it."""
    database = open_database(f"sqlite:///{home / 'catalog.db'}")
    yield database
    database.close()


@pytest.fixture
def client(home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    with running.gateway(running.settings_for(home, urls)) as client:
        yield client


def test_a_new_book_is_shown_found_by_isbn_and_rated_at_once(client: httpx.Client, db: Database) -> None:
    with db.session(write=True) as session:
        fields = BookFields(title="Cedar", authors=["Ada Lovelace"], subjects=["Trees"])
        book_id = add_book(session, fields, isbns=[ISBN])

    shown, found = client.get(f"/v1/books/{book_id}"), client.get(f"/v1/books/isbn/{ISBN}")
    rated = client.put(f"/v1/users/{SPACE_READER}/ratings/{book_id}", json={"rating": 9})
    listed = client.get(f"/v1/users/{SPACE_READER}/ratings").json()["items"][0]
    recommended = client.get(f"/v1/users/{SPACE_READER}/recommendations")

    assert shown.json() == found.json()
    assert (shown.json()["title"], shown.json()["authors"]) == ("Cedar", ["Ada Lovelace"])
    assert (rated.status_code, listed["book_id"], listed["title"]) == (201, book_id, "Cedar")
    assert recommended.status_code == 200


def test_lists_without_a_withdrawn_book_are_as_long_as_before(client: httpx.Client, db: Database) -> None:
    def recommend() -> list[int]:
        body = client.get(f"/v1/users/{SPACE_READER}/recommendations", params={"k": 5}).json()
        return [item["book_id"] for item in body["items"]]

    before = recommend()
    with db.session(write=True) as session:
        withdraw_book(session, before[0])

    wait_until(lambda: client.get(f"/v1/books/{before[0]}").status_code == 404)
    assert recommend()[:4] == before[1:]
    assert len(recommend()) == 5
    with db.session(write=True) as session:
        restore_book(session, before[0])
    wait_until(lambda: recommend() == before)


def test_a_moved_edition_is_found_at_once(client: httpx.Client, db: Database) -> None:
    with db.session(write=True) as session:
        one = add_book(session, BookFields(title="Cedar"), isbns=[ISBN])
        other = add_book(session, BookFields(title="Birch"))
        assert client.get(f"/v1/books/isbn/{ISBN}").status_code == 404
    with db.session(write=True) as session:
        move_edition(session, ISBN, other)

    assert client.get(f"/v1/books/isbn/{ISBN}").json()["book_id"] == other != one
