"""A library that a reader brings: their very next list knows it, and what is unsure is theirs to tell."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from catalog.library.matching import Match, match_rows
from catalog.library.reading import MOST_ROWS
from catalog.library.records import ExportRow
from gateway.api.me_import import MAX_BODY_BYTES, MOST_BODIES
from gateway.library import libraries
from middleware import connections
from tests.catalog.library.exports import goodreads_row, storygraph_row, write_goodreads, write_storygraph
from tests.gateway import running
from tests.gateway.accounts.people import Person, code_of, sign_up
from tests.gateway.running import KEY, UNTRAINED_BOOK
from tests.meshes import wait_until
from tests.servers.running import PATIENCE_S
from tests.servers.tiny import BOOK_IDS

PATH = "/v1/me/import"
SERVICE = {"Authorization": f"Bearer {KEY}"}
SPACE, ODYSSEY, SPACEWAYS, PLANET = (int(book_id) for book_id in BOOK_IDS[[0, 1, 2, 4]])
LIBRARY = write_goodreads(
    [
        goodreads_row(
            "The Left Hand of Space (Hands, #1)", "Author 1", my_rating="5", date_read="2020/01/02"
        ),
        goodreads_row("A Space Odyssey: A Novel", "Author 1", exclusive_shelf="currently-reading"),
        goodreads_row("Spaceways", "Author 2", exclusive_shelf="to-read", date_added="2020/01/02"),
        goodreads_row("Ender's Planet, Part 2", "Author 3", my_rating="4"),
        goodreads_row("Nobody Knows It", "Nobody"),
        goodreads_row("Seven Stars", "Author 1", my_rating="7"),
    ]
)


def bring(person: Person, content: bytes = LIBRARY, **headers: str) -> httpx.Response:
    headers = {"Content-Type": "text/csv", **person.headers, **headers}
    return person.client.post(PATH, content=content, headers=headers)


def counts(response: httpx.Response) -> dict[str, int]:
    assert response.status_code == 200, response.text
    return {name: count for name, count in response.json().items() if name.startswith("n_")}


def recommended(person: Person) -> list[int]:
    return [item["book_id"] for item in person.get("/v1/me/recommendations?k=12")["items"]]


def test_the_very_next_list_knows_the_library(client: httpx.Client) -> None:
    ada = sign_up(client)
    assert {SPACE, ODYSSEY} < set(recommended(ada))

    response = bring(ada)

    assert counts(response) == {
        "n_rows": 6, "n_new": 3, "n_changed": 0, "n_unchanged": 0, "n_to_review": 1, "n_not_found": 1,
        "n_left_out": 1,
    }  # fmt: skip
    assert response.json()["source"] == "goodreads"
    assert response.json()["left_out"] == [
        {"line": 7, "reason": "the rating is no number of stars from 0 to 5"}
    ]
    assert {SPACE, ODYSSEY}.isdisjoint(recommended(ada))
    assert ada.get("/v1/me/recommendations")["mode"] == "collaborative"
    ratings = ada.get("/v1/me/ratings")["items"]
    assert {item["book_id"]: item["rating"] for item in ratings} == {SPACE: 10.0, ODYSSEY: None}


def test_the_same_file_again_changes_nothing(client: httpx.Client) -> None:
    ada = sign_up(client)
    bring(ada)
    before = ada.get("/v1/me/export")["tables"]

    again = bring(ada)

    assert (counts(again)["n_new"], counts(again)["n_changed"], counts(again)["n_unchanged"]) == (0, 0, 3)
    assert ada.get("/v1/me/export")["tables"] == before


def test_a_form_is_taken_as_browsers_send_it(client: httpx.Client) -> None:
    ada = sign_up(client)
    content = write_storygraph([storygraph_row("Spaceways", "Author 2", star_rating="4.25")])

    response = client.post(PATH, files={"file": ("export.csv", content, "text/csv")}, headers=ada.headers)

    assert (counts(response)["n_new"], response.json()["source"]) == (1, "storygraph")
    assert ada.get("/v1/me/ratings")["items"][0]["rating"] == 8.3125


def test_a_row_that_may_be_a_book_is_settled_by_its_reader(client: httpx.Client) -> None:
    ada, bob = sign_up(client), sign_up(client)
    [row] = bring(ada).json()["review"]["items"]
    assert (row["title"], row["rating"], row["shelf"]) == ("Ender's Planet, Part 2", 7.75, "read")
    assert [each["book_id"] for each in row["candidates"]] == [PLANET]
    assert row["candidates"][0]["title"] == "Ender's Planet"
    assert 0 < row["candidates"][0]["confidence"] < 0.8
    assert ada.get(f"{PATH}/review") == {"total": 1, "items": [row]}
    assert bob.get(f"{PATH}/review") == {"total": 0, "items": []}
    path = f"{PATH}/review/{row['row_id']}"

    assert code_of(bob.ask("POST", path, {"book_id": PLANET})) == (404, "library_row_not_found")
    assert code_of(ada.ask("POST", path, {"book_id": 424242})) == (404, "book_not_found")
    for _ in range(2):
        assert ada.ask("POST", path, {"book_id": PLANET}).status_code == 204
    assert code_of(ada.ask("POST", path, {"book_id": None})) == (404, "library_row_not_found")

    assert PLANET not in recommended(ada)
    assert bring(ada).json()["review"] == {"total": 0, "items": []}


def test_a_row_that_is_none_of_the_books_is_not_asked_about_again(client: httpx.Client) -> None:
    ada = sign_up(client)
    [row] = bring(ada).json()["review"]["items"]

    assert ada.ask("POST", f"{PATH}/review/{row['row_id']}", {"book_id": None}).status_code == 204

    assert counts(bring(ada))["n_not_found"] == 2
    assert len(ada.get("/v1/me/ratings")["items"]) == 2


def test_review_comes_in_pages(client: httpx.Client) -> None:
    ada = sign_up(client)
    rows = [goodreads_row(f"Solaris, Part {number}", "Author 2") for number in range(1, 8)]
    assert bring(ada, write_goodreads(rows)).json()["review"]["total"] == 7

    page = ada.get(f"{PATH}/review?limit=3&offset=3")

    assert [row["title"] for row in page["items"]] == [f"Solaris, Part {number}" for number in (4, 5, 6)]
    assert page["total"] == 7


def test_a_book_that_no_version_knows_yet_is_found_too(client: httpx.Client) -> None:
    ada = sign_up(client)

    bring(ada, write_goodreads([goodreads_row("A New Space", "Author 7", my_rating="3")]))

    assert [item["book_id"] for item in ada.get("/v1/me/ratings")["items"]] == [UNTRAINED_BOOK]


def test_who_has_not_logged_in_brings_nothing(client: httpx.Client) -> None:
    headers = {"Content-Type": "text/csv"}

    assert code_of(client.post(PATH, content=LIBRARY, headers=headers)) == (401, "unauthenticated")
    assert code_of(client.get(f"{PATH}/review")) == (401, "unauthenticated")
    assert code_of(client.post(f"{PATH}/review/1", json={"book_id": None})) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Name,Price\nDune,3\n", "line 1: expected the columns"),
        (LIBRARY.replace(b"My Rating", b"Stars"), "line 1: expected the columns 'My Rating'"),
        (LIBRARY.replace(b"Space", b"\xe9space"), "line 2: expected text in utf-8"),
        (b"PK\x03\x04" + b"\0" * 200, "a zip archive"),
        (b'Title,Author,My Rating,Exclusive Shelf\n"Dune', "cut off in the middle"),
        (b"Title,Author,My Rating,Exclusive Shelf\n", "holds no rows"),
        (b"Title,Author,My Rating,Exclusive Shelf\n" + b"a,b,1,read\n" * (MOST_ROWS + 1), "line 10,002"),
        (b"\0" * 1000, "expected"),
    ],
)
def test_what_is_no_export_is_refused_with_its_line(client: httpx.Client, content: bytes, said: str) -> None:
    ada = sign_up(client)

    response = bring(ada, content)

    assert code_of(response) == (422, "library_unreadable")
    assert said in response.json()["detail"]


def test_a_nul_byte_costs_its_line(client: httpx.Client) -> None:
    response = bring(sign_up(client), LIBRARY.replace(b"Spaceways", b"Space\0ways"))

    assert response.json()["left_out"][0] == {"line": 4, "reason": "NUL byte"}
    assert counts(response)["n_new"] == 2


def test_an_empty_body_and_a_form_without_a_file_are_refused(client: httpx.Client) -> None:
    ada = sign_up(client)

    assert bring(ada, b"").status_code == 422
    for form in ({"other": ("a.csv", LIBRARY)}, {"file": (None, LIBRARY)}):
        response = client.post(PATH, files=form, headers=ada.headers)
        assert code_of(response) == (422, "invalid_request")


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/octet-stream", ""])
def test_other_types_are_refused(client: httpx.Client, media_type: str) -> None:
    response = bring(sign_up(client), **{"Content-Type": media_type})

    assert code_of(response) == (415, "unsupported_media_type")
    assert "text/csv or multipart/form-data" in response.json()["detail"]


def test_a_library_may_be_larger_than_other_bodies_but_not_boundless(client: httpx.Client) -> None:
    ada = sign_up(client)
    review = "It was the best of books. " * 2_000
    rows = [goodreads_row(f"Book {number}", "Somebody", my_review=review) for number in range(100)]
    content = write_goodreads(rows)

    assert 512 * 1024 < len(content) < MAX_BODY_BYTES
    assert counts(bring(ada, content))["n_not_found"] == 100
    assert code_of(bring(ada, b"x" * (MAX_BODY_BYTES + 1))) == (413, "body_too_large")
    rating: dict[str, Any] = {"ratings": [{"book_id": SPACE, "rating": 1, "x": "y" * 600_000}]}
    assert code_of(ada.ask("POST", "/v1/me/ratings", rating)) == (413, "body_too_large")


@contextmanager
def sending(client: httpx.Client, headers: dict[str, str]) -> Iterator[socket.socket]:
    """A connection on which a library is announced, to be sent once that is asked for."""
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: x",
        "Content-Type: text/csv",
        f"Content-Length: {MAX_BODY_BYTES}",
        "Expect: 100-continue",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    address = (client.base_url.host, client.base_url.port or 0)
    with socket.create_connection(address, timeout=PATIENCE_S) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        yield connection


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"Authorization": "Bearer x"}, 401), (SERVICE, 403)], ids=str
)
def test_who_may_not_bring_a_library_is_told_before_it_is_sent(
    client: httpx.Client, headers: dict[str, str], status: int
) -> None:
    with sending(client, headers) as connection:
        assert connection.recv(12) == f"HTTP/1.1 {status}".encode()


def test_so_many_libraries_are_sent_at_once_one_by_a_reader(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RECEIVE_S", 3600)  # a busy machine may stand still
    *senders, late = [sign_up(client) for _ in range(MOST_BODIES + 1)]
    with ExitStack() as stack:
        for sender in senders:
            connection = stack.enter_context(sending(client, sender.headers))
            assert connection.recv(12) == b"HTTP/1.1 100"
            assert code_of(bring(sender)) == (503, "overloaded")
        assert code_of(bring(late)) == (503, "overloaded")
        assert late.get("/v1/me")  # all else goes on

    wait_until(lambda: bring(late).status_code == 200)


def test_a_library_may_take_longer_than_a_list(
    home: Path, urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def match_slowly(session: Session, rows: Sequence[ExportRow]) -> list[Match]:
        time.sleep(1.2)
        return match_rows(session, rows)

    monkeypatch.setattr(libraries, "match_rows", match_slowly)
    with running.gateway(running.settings_for(home, urls, deadline_s=1.0)) as client:
        response = bring(sign_up(client))

    assert (counts(response)["n_new"], response.json()["review"]["total"]) == (3, 1)
