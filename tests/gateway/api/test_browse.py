"""All books, a page at a time, by filters; authors with theirs; and searches that filters narrow."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, update

from catalog.books import read_withdrawn
from catalog.database import open_database
from catalog.tables import Author, Book, BookAuthor, Hidden
from tests.gateway import running
from tests.servers.tiny import BOOK_IDS, SOUP_IDS, SPACE_IDS, TITLES, N


def _ids(body: dict[str, Any]) -> list[int]:
    return [item["book_id"] for item in body["items"]]


def _get(client: httpx.Client, path: str, **params: str | int) -> Any:
    return client.get(path, params=params).raise_for_status().json()


def test_pages_of_all_books_join_and_tell_the_total(shared: httpx.Client, version: str) -> None:
    pages = [_get(shared, "/v1/books", limit=5, offset=offset) for offset in (0, 5, 10, 15)]

    assert [book_id for page in pages for book_id in _ids(page)] == BOOK_IDS.tolist()
    assert {page["total"] for page in pages} == {N}
    assert {page["version"] for page in pages} == {version}
    assert len({page["list_id"] for page in pages}) == len(pages)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"subject": "sOuP", "limit": 3}, SOUP_IDS[:3]),
        ({"author": "author amos"}, SPACE_IDS[:2]),
        ({"language": "ger"}, []),
        ({"year_from": 1952, "year_to": 1953}, SPACE_IDS[2:4]),
        ({"sort": "newest", "limit": 2}, BOOK_IDS[-2:-4:-1].tolist()),
        ({"sort": "title", "limit": 1}, [BOOK_IDS[TITLES.index("A Space Odyssey")]]),
    ],
)
def test_filters_and_orders(shared: httpx.Client, params: dict[str, Any], expected: list[int]) -> None:
    assert _ids(_get(shared, "/v1/books", **params)) == expected


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"subject": "Spce"}, "unknown_subjects"),
        ({"sort": "random"}, "invalid_request"),
        ({"limit": 1001}, "invalid_request"),
        ({"year_from": "1e3"}, "invalid_request"),
        ({"language": "english"}, "invalid_request"),
    ],
)
def test_what_makes_no_sense_is_refused(shared: httpx.Client, params: dict[str, Any], code: str) -> None:
    response = shared.get("/v1/books", params=params)

    assert (response.status_code, response.json()["code"]) == (422, code)


def test_what_is_hidden_or_replaced_since_is_on_no_page(home: Path, urls: dict[str, str]) -> None:
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        session.execute(update(Book).filter_by(book_id=11).values(hidden=Hidden.WITHDRAWN))
        session.execute(update(Book).filter_by(book_id=22).values(replaced_by=33))
        assert read_withdrawn(session) == {11}
    db.close()

    with running.gateway(running.settings_for(home, urls)) as client:
        page = _get(client, "/v1/books", limit=2)
        theirs = _get(client, "/v1/authors/1")

    assert (_ids(page), page["total"]) == ([33, 44], N - 2)
    assert (_ids(theirs), theirs["total"]) == ([], 0)


def test_without_the_metadata_server_pages_are_of_popular_books(home: Path, urls: dict[str, str]) -> None:
    others = {name: url for name, url in urls.items() if name != "metadata"}

    with running.gateway(running.settings_for(home, others)) as client:
        page = _get(client, "/v1/books", limit=3)

    assert [item["book_id"] for item in page["items"]] == [11, 22, 33]
    assert (page["version"], page["degraded"]) == ("none", ["metadata"])


def test_authors_are_found_by_the_beginning_of_their_names(shared: httpx.Client) -> None:
    found = _get(shared, "/v1/authors", prefix="AUTHÓR", limit=2, offset=1)

    assert found == {
        "total": 7,
        "items": [{"author_id": n, "name": f"Author {n}", "n_books": 2} for n in (2, 3)],
    }
    assert _get(shared, "/v1/authors", prefix="uthor") == {"total": 0, "items": []}


def test_an_author_is_shown_with_their_books(home: Path, urls: dict[str, str], version: str) -> None:
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        session.execute(update(Author).filter_by(author_id=1).values(name="Author Amos"))
    db.close()

    with running.gateway(running.settings_for(home, urls)) as client:
        body = _get(client, "/v1/authors/1", sort="newest", limit=1)
        unknown = client.get("/v1/authors/4711")

    assert (body["author_id"], body["name"], body["version"]) == (1, "Author Amos", version)
    assert (_ids(body), body["total"]) == (SPACE_IDS[1:2], 2)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "author_not_found")


def test_a_book_leads_to_all_books_of_its_authors(home: Path, urls: dict[str, str]) -> None:
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        session.execute(insert(BookAuthor).values(book_id=11, author_id=7, position=-1))
        session.execute(update(Book).filter_by(book_id=22).values(hidden=Hidden.WITHDRAWN))
        session.execute(update(Book).filter_by(book_id=33).values(replaced_by=44))
    db.close()

    with running.gateway(running.settings_for(home, urls)) as client:
        found = _get(client, "/v1/books/11/authors")
        hidden, unknown, moved = (client.get(f"/v1/books/{book_id}/authors") for book_id in (22, 5, 33))

    assert found == {
        "book_id": 11,
        "items": [
            {"author_id": 7, "name": "Author 7", "n_books": 2},
            {"author_id": 1, "name": "Author 1", "n_books": 1},
        ],
    }
    assert [hidden.status_code, unknown.status_code, moved.status_code] == [404, 404, 308]
    assert moved.headers["Location"] == "/v1/books/44/authors"


def test_a_search_keeps_to_its_filters(shared: httpx.Client) -> None:
    every = _ids(_get(shared, "/v1/search", q="space soup", k=12))

    def search(**filters: str | int) -> list[int]:
        return _ids(_get(shared, "/v1/search", q="space soup", **filters))

    assert search(subject="Soup") == [book_id for book_id in every if book_id in SOUP_IDS]
    assert search(year_to=1951) == [book_id for book_id in every if book_id in SPACE_IDS[:2]]
    assert search(author="Author Amos", language="ger") == []
