"""Reads of a merged book are sent on to its heir, and its id means the heir wherever it is given."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from catalog.database import open_database
from catalog.identity import renew_state
from catalog.tables import Book
from tests.gateway import running
from tests.gateway.running import SPACE_READER
from tests.servers.running import wait_until

OLD, OLDER, HEIR = 44, 55, 33


def replace(home: Path, heirs: dict[int, int | None]) -> None:
    """Merge books, or undo that, as another process would."""
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        for book_id, heir_id in heirs.items():
            session.execute(update(Book).where(Book.book_id == book_id).values(replaced_by=heir_id))
        renew_state(session.connection())
    db.close()


@pytest.fixture
def client(home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    """A gateway whose book 55 became part of 44, and that of 33."""
    replace(home, {OLDER: OLD, OLD: HEIR})
    with running.gateway(running.settings_for(home, urls)) as client:
        yield client


@pytest.mark.parametrize("book_id", [OLD, OLDER])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/books/{}",
        "/v1/books/{}/similar?k=3&mode=subject",
        f"/v1/users/{SPACE_READER}/recommendations/{{}}/why",
    ],
)
def test_a_read_of_a_merged_book_is_sent_on_to_its_heir(
    client: httpx.Client, path: str, method: str, book_id: int
) -> None:
    response = client.request(method, path.format(book_id))

    assert response.status_code == 308
    assert response.headers["Location"] == path.format(HEIR)
    followed = client.request(method, path.format(book_id), follow_redirects=True)
    assert followed.status_code == 200


def test_a_merged_book_that_is_liked_counts_as_its_heir(client: httpx.Client) -> None:
    def recommend(book_id: int) -> httpx.Response:
        return client.post("/v1/recommendations", json={"liked": [{"book_id": book_id}], "k": 12})

    by_old_id, by_heir = recommend(OLDER), recommend(HEIR)

    assert by_old_id.json() == by_heir.json()
    listed = {item["book_id"] for item in by_old_id.json()["items"]}
    assert listed
    assert not listed & {OLD, OLDER, HEIR}


def test_what_a_book_was_before_is_not_like_it(client: httpx.Client) -> None:
    body = client.get(f"/v1/books/{HEIR}/similar", params={"k": 12}).json()

    assert not {item["book_id"] for item in body["items"]} & {OLD, OLDER, HEIR}


def test_what_is_written_to_a_merged_book_is_the_heir_s(client: httpx.Client) -> None:
    client.put(f"/v1/users/{SPACE_READER}/ratings/{OLDER}", json={"rating": 8})

    listed = client.get(f"/v1/users/{SPACE_READER}/ratings").json()
    assert listed["items"][0]["book_id"] == HEIR


def test_merges_and_splits_show_without_a_restart(client: httpx.Client, home: Path) -> None:
    replace(home, {OLD: None})

    wait_until(lambda: client.get(f"/v1/books/{OLD}").status_code == 200)
    assert client.get(f"/v1/books/{OLDER}").headers["Location"] == f"/v1/books/{OLD}"
