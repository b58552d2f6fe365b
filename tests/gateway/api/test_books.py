"""Single books, subjects, and why a book suits a reader."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete

from catalog.database import open_database
from catalog.tables import BookAuthor
from tests.gateway import running
from tests.gateway.running import SPACE_READER, STRANGER, UNTRAINED_BOOK
from tests.servers import tiny


def test_a_book_is_shown_with_all_that_is_known(shared: httpx.Client, version: str) -> None:
    response = shared.get("/v1/books/11")

    assert response.headers["X-Artifact-Version"] == version
    assert response.json() == {
        "version": version, "degraded": [], "book_id": 11, "title": tiny.TITLES[0],
        "authors": ["Author Amos"], "year": 1950, "n_pages": 200, "language": "en",
        "isbns": ["9780000000002"],
        "main_subject": "Space", "subjects": ["Space"], "description": None, "n_ratings": 120,
        "mean_rating": 7.5,
    }  # fmt: skip


def test_a_book_without_an_author_is_shown_by_unknown_author(
    home: Path, urls: dict[str, str], shared: httpx.Client
) -> None:
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        session.execute(delete(BookAuthor).where(BookAuthor.book_id == UNTRAINED_BOOK))
    db.close()

    with running.gateway(running.settings_for(home, urls)) as client:
        of_sql = client.get(f"/v1/books/{UNTRAINED_BOOK}").json()
    of_version = shared.get(f"/v1/books/{tiny.ANONYMOUS_ID}").json()
    found = shared.get("/v1/search", params={"q": tiny.TITLES[-1]}).json()["items"][0]

    assert of_sql["authors"] == of_version["authors"] == found["authors"] == ["Unknown Author"]
    assert found["book_id"] == tiny.ANONYMOUS_ID


def test_a_book_that_no_version_knows_yet_is_shown_from_sql(shared: httpx.Client) -> None:
    body = shared.get(f"/v1/books/{UNTRAINED_BOOK}").json()

    assert (body["title"], body["n_ratings"], body["degraded"]) == ("A New Space", 0, [])


def test_an_unknown_book_is_not_found(shared: httpx.Client) -> None:
    for path in ("/v1/books/5", "/v1/books/5/similar", f"/v1/users/{SPACE_READER}/recommendations/5/why"):
        response = shared.get(path)

        assert (response.status_code, response.json()["code"]) == (404, "book_not_found")


@pytest.mark.parametrize("isbn", ["9780441478125", "978-0-441-47812-5", "0441478123", "0-441-47812-3"])
def test_any_form_of_an_isbn_finds_the_book(shared: httpx.Client, isbn: str) -> None:
    assert shared.get(f"/v1/books/isbn/{isbn}").json()["book_id"] == 11


def test_an_isbn_that_is_none_is_refused(shared: httpx.Client) -> None:
    response = shared.get("/v1/books/isbn/9780441478126")

    assert (response.status_code, response.json()["code"]) == (422, "isbn_invalid")


def test_an_isbn_of_no_book_is_not_found(shared: httpx.Client) -> None:
    response = shared.get("/v1/books/isbn/9780000000002")

    assert (response.status_code, response.json()["code"]) == (404, "book_not_found")


def test_subjects_are_listed_by_their_beginning_and_in_pages(shared: httpx.Client) -> None:
    assert shared.get("/v1/subjects").json()["items"] == [
        {"name": "Space", "n_books": 7},
        {"name": "Soup", "n_books": 6},
    ]
    assert shared.get("/v1/subjects", params={"prefix": "so"}).json() == {
        "total": 1,
        "items": [{"name": "Soup", "n_books": 6}],
    }
    page = shared.get("/v1/subjects", params={"limit": 1, "offset": 1}).json()
    assert (page["total"], [item["name"] for item in page["items"]]) == (2, ["Soup"])


def test_a_recommendation_is_explained_by_the_reader_s_own_books(shared: httpx.Client) -> None:
    body = shared.get(f"/v1/users/{SPACE_READER}/recommendations/33/why").json()

    assert {reason["book_id"] for reason in body["because"]} == {11, 22}
    assert sum(reason["share"] for reason in body["because"]) == pytest.approx(1, abs=1e-5)
    assert {reason["rating"] for reason in body["because"]} == {9, None}


def test_without_history_nothing_speaks_for_a_book(shared: httpx.Client) -> None:
    body = shared.get(f"/v1/users/{STRANGER}/recommendations/33/why").json()

    assert (body["because"], body["degraded"]) == ([], [])
