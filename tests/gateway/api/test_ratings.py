"""Ratings: stored at once, and known to the very next list."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from catalog.database import open_database
from catalog.tables import Book
from tests.gateway import running
from tests.gateway.running import SPACE_READER, STRANGER, UNTRAINED_BOOK


@pytest.fixture
def client(home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    """A gateway over a catalog of this test's own."""
    with running.gateway(running.settings_for(home, urls, write_timeout_s=2.0)) as client:
        yield client


def _recommended(client: httpx.Client, user_id: int) -> list[int]:
    response = client.get(f"/v1/users/{user_id}/recommendations", params={"k": 12})
    return [item["book_id"] for item in response.json()["items"]]


def test_the_next_list_already_knows_a_rating(client: httpx.Client) -> None:
    assert 44 in _recommended(client, STRANGER)

    response = client.put(f"/v1/users/{STRANGER}/ratings/44", json={"rating": 8})

    assert response.status_code == 201
    assert response.json() == {"user_id": STRANGER, "book_id": 44, "rating": 8.0}
    assert 44 not in _recommended(client, STRANGER)
    listed = client.get(f"/v1/users/{STRANGER}/recommendations").json()
    assert listed["mode"] == "collaborative"


def test_a_rating_that_is_taken_back_is_forgotten(client: httpx.Client) -> None:
    client.put(f"/v1/users/{STRANGER}/ratings/44", json={"rating": None})
    _recommended(client, STRANGER)

    response = client.delete(f"/v1/users/{STRANGER}/ratings/44")

    assert (response.status_code, response.content) == (204, b"")
    assert 44 in _recommended(client, STRANGER)
    assert client.delete(f"/v1/users/{STRANGER}/ratings/44").json()["code"] == "rating_not_found"


def test_an_edition_that_is_part_of_another_book_by_now_counts_as_read(
    client: httpx.Client, home: Path
) -> None:
    # An import after the training has found that book 44 is the untrained one, which the version lacks.
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        session.execute(update(Book).where(Book.book_id == 44).values(replaced_by=UNTRAINED_BOOK))
    db.close()
    before = _recommended(client, SPACE_READER)

    client.put(f"/v1/users/{SPACE_READER}/ratings/{UNTRAINED_BOOK}", json={"rating": 9})

    assert 44 in before
    assert 44 not in _recommended(client, SPACE_READER)


def test_a_second_rating_changes_the_first(client: httpx.Client) -> None:
    first = client.put(f"/v1/users/{STRANGER}/ratings/44", json={"rating": 3})
    second = client.put(f"/v1/users/{STRANGER}/ratings/44", json={"rating": 9.5})

    assert (first.status_code, second.status_code) == (201, 200)
    listed = client.get(f"/v1/users/{STRANGER}/ratings").json()
    assert [(item["book_id"], item["rating"]) for item in listed["items"]] == [(44, 9.5)]


def test_the_history_is_listed_newest_first_with_titles(client: httpx.Client) -> None:
    client.put(f"/v1/users/{SPACE_READER}/ratings/77", json={"rating": 2})

    body = client.get(f"/v1/users/{SPACE_READER}/ratings", params={"limit": 2}).json()

    assert (body["total"], [item["book_id"] for item in body["items"]]) == (3, [77, 22])
    assert body["items"][0]["title"] == "Soup for Everyone"


@pytest.mark.parametrize(
    "body",
    [
        {"rating": 0},
        {"rating": 11},
        {"rating": "good"},
        {"rating": True},
        {"rating": "8"},
        {},
        {"stars": 5},
        [],
        "x",
    ],
)
def test_a_rating_that_is_none_is_refused(client: httpx.Client, body: object) -> None:
    response = client.put(f"/v1/users/{STRANGER}/ratings/44", json=body)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert client.get(f"/v1/users/{STRANGER}/ratings").json()["total"] == 0


def test_unknown_readers_and_books_are_told_apart(client: httpx.Client) -> None:
    no_user = client.put("/v1/users/77/ratings/44", json={"rating": 5})
    no_book = client.put(f"/v1/users/{STRANGER}/ratings/5", json={"rating": 5})

    assert (no_user.status_code, no_user.json()["code"]) == (404, "user_not_found")
    assert (no_book.status_code, no_book.json()["code"]) == (404, "book_not_found")
    assert client.delete("/v1/users/77/ratings/44").json()["code"] == "user_not_found"


def test_while_another_writer_holds_the_catalog_a_rating_is_put_off(client: httpx.Client, home: Path) -> None:
    other = sqlite3.connect(home / "catalog.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    refused = client.put(f"/v1/users/{STRANGER}/ratings/44", json={"rating": 5})
    read = client.get(f"/v1/users/{SPACE_READER}/recommendations")

    assert (refused.status_code, refused.json()["code"]) == (503, "catalog_unavailable")
    assert refused.headers["Retry-After"] == "1"
    assert read.status_code == 200
    other.execute("ROLLBACK")
    other.close()
    assert client.put(f"/v1/users/{STRANGER}/ratings/55", json={"rating": 5}).status_code == 201
    listed = client.get(f"/v1/users/{STRANGER}/ratings").json()
    assert [item["book_id"] for item in listed["items"]] == [55]  # what was refused was not written later


def test_more_readers_at_once_than_are_kept_get_their_lists(home: Path, urls: dict[str, str]) -> None:
    settings = running.settings_for(home, urls, cache={"users": 1, "response_bytes": 1})
    with running.gateway(settings) as client, ThreadPoolExecutor(12) as pool:

        def fetch(number: int) -> int:
            user_id = 1 + number % 4
            if number % 5 == 0:
                client.put(f"/v1/users/{user_id}/ratings/{11 * (1 + number % 12)}", json={"rating": 5})
            return client.get(f"/v1/users/{user_id}/recommendations").status_code

        statuses = set(pool.map(fetch, range(300)))

    assert statuses == {200}
