"""What nobody is shown: a book withdrawn while versions know it, and one that never had a title."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, update

from catalog.database import open_database
from catalog.identity import renew_state
from catalog.tables import Book, Edition, Hidden, Rating
from contracts.shell import SERVER_NAMES
from tests.gateway import running
from tests.gateway.running import SPACE_HISTORY, SPACE_READER
from tests.servers.running import wait_until

WITHDRAWN, UNTITLED, LEAST_READ = 44, 1000, 132
ISBN = "9780000000002"


def withdraw(home: Path, book_id: int) -> None:
    """Take a book out, as another process would."""
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        session.execute(update(Book).where(Book.book_id == book_id).values(hidden=Hidden.WITHDRAWN))
        renew_state(session.connection())
    db.close()


def add_untitled(home: Path) -> None:
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        values = {"book_id": UNTITLED, "source": "tests", "external_id": ISBN, "title": ISBN}
        session.execute(insert(Book).values(**values, hidden=Hidden.UNTITLED))
        session.execute(insert(Edition).values(isbn13=ISBN, book_id=UNTITLED))
        session.execute(insert(Rating).values(user_id=SPACE_READER, book_id=UNTITLED, rating=9.0))
    db.close()


@pytest.fixture
def client(home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    add_untitled(home)
    withdraw(home, WITHDRAWN)
    with running.gateway(running.settings_for(home, urls)) as client:
        yield client


@pytest.fixture
def lonely(home: Path) -> Iterator[httpx.Client]:
    """The same with no model server."""
    add_untitled(home)
    withdraw(home, WITHDRAWN)
    with running.gateway(running.settings_for(home, {})) as client:
        yield client


PATHS = [
    "/v1/books/popular?k=50",
    "/v1/books/popular?k=50&subject=Space",
    "/v1/books/55/similar?k=50&mode=als",
    "/v1/books/55/similar?k=50&mode=subject",
    "/v1/books/55/similar?k=50",
    f"/v1/users/{SPACE_READER}/recommendations?k=50",
    f"/v1/users/{SPACE_READER}/recommendations?k=50&mode=subjects",
    "/v1/search?q=solaris&k=50",
    "/v1/search/semantic?q=planet&k=50",
    f"/v1/search?q={ISBN}&k=50",
]


@pytest.mark.parametrize("path", PATHS)
def test_hidden_books_are_in_no_list(client: httpx.Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200, response.text
    listed = {item["book_id"] for item in response.json()["items"]}
    assert not listed & {WITHDRAWN, UNTITLED}


def test_hidden_books_are_in_no_list_without_servers_either(lonely: httpx.Client) -> None:
    items = lonely.get("/v1/books/popular?k=50").json()["items"]

    assert items
    assert not {item["book_id"] for item in items} & {WITHDRAWN, UNTITLED}


@pytest.mark.parametrize("book_id", [WITHDRAWN, UNTITLED])
@pytest.mark.parametrize(
    "path",
    ["/v1/books/{}", "/v1/books/{}/similar", f"/v1/users/{SPACE_READER}/recommendations/{{}}/why"],
)
def test_a_hidden_book_is_not_found(client: httpx.Client, path: str, book_id: int) -> None:
    response = client.get(path.format(book_id))

    assert response.status_code == 404
    assert response.json()["code"] == "book_not_found"


def test_a_hidden_book_is_not_found_by_its_isbn(client: httpx.Client) -> None:
    assert client.get(f"/v1/books/isbn/{ISBN}").status_code == 404


@pytest.mark.parametrize("book_id", [WITHDRAWN, UNTITLED])
def test_a_hidden_book_takes_no_rating(client: httpx.Client, book_id: int) -> None:
    response = client.put(f"/v1/users/{SPACE_READER}/ratings/{book_id}", json={"rating": 5})

    assert response.status_code == 404
    assert response.json()["code"] == "book_not_found"


def test_a_readers_own_ratings_leave_hidden_books_out(client: httpx.Client) -> None:
    ratings = client.get(f"/v1/users/{SPACE_READER}/ratings").json()

    assert {item["book_id"] for item in ratings["items"]} == {book_id for book_id, _ in SPACE_HISTORY}
    assert ratings["total"] == len(SPACE_HISTORY)


def test_a_book_that_is_withdrawn_disappears_from_a_running_gateway(home: Path, urls: dict[str, str]) -> None:
    assert set(urls) == set(SERVER_NAMES)

    with running.gateway(running.settings_for(home, urls)) as client:
        assert client.get(f"/v1/books/{LEAST_READ}").status_code == 200
        withdraw(home, LEAST_READ)
        wait_until(lambda: client.get(f"/v1/books/{LEAST_READ}").status_code == 404)
        listed = client.get("/v1/books/popular?k=50").json()["items"]

    assert LEAST_READ not in {item["book_id"] for item in listed}
