"""What clients and browsers keep, compress and may call."""

from pathlib import Path

import httpx
import pytest

from tests.gateway import running
from tests.gateway.running import UNTRAINED_BOOK

KEPT = (
    "/v1/books/11",
    "/v1/books/isbn/9780441478125",
    "/v1/books/11/similar",
    "/v1/books/popular",
    "/v1/subjects",
)
PAGE = "https://books.example"


@pytest.mark.parametrize("path", KEPT)
def test_who_has_the_present_state_is_sent_no_body(shared: httpx.Client, path: str) -> None:
    first = shared.get(path)
    tag = first.headers["ETag"]

    for named in (tag, tag.removeprefix("W/"), f'"another", {tag}', "*"):
        again = shared.get(path, headers={"If-None-Match": named})

        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Cache-Control", "X-Artifact-Version"):
            assert again.headers[name] == first.headers[name]
    assert first.headers["Cache-Control"] == "no-cache"


def test_another_state_has_another_tag(shared: httpx.Client) -> None:
    tag = shared.get("/v1/books/11").headers["ETag"]

    other = shared.get(f"/v1/books/{UNTRAINED_BOOK}", headers={"If-None-Match": tag})

    assert (other.status_code, other.json()["book_id"]) == (200, UNTRAINED_BOOK)
    assert other.headers["ETag"] != tag


def test_a_failure_has_no_tag(shared: httpx.Client) -> None:
    response = shared.get("/v1/books/5", headers={"If-None-Match": "*"})

    assert (response.status_code, "ETag" in response.headers) == (404, False)


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip", "gzip"), ("gzip, deflate, br", "br"), ("BR", "br"), ("*", None)]
)
def test_a_large_answer_is_compressed_in_the_best_way_that_is_accepted(
    shared: httpx.Client, accepted: str, encoding: str | None
) -> None:
    plain = shared.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    compressed = shared.get("/openapi.json", headers={"Accept-Encoding": accepted})

    assert compressed.headers.get("Content-Encoding") == encoding
    assert encoding is None or int(compressed.headers["Content-Length"]) < len(plain.content) / 4
    assert compressed.json() == plain.json()
    assert "Accept-Encoding" in compressed.headers["Vary"]


def test_what_comes_in_pieces_is_compressed_whole(shared: httpx.Client) -> None:
    path = "/docs/static/swagger-ui-bundle.js"
    plain, compressed = (shared.get(path, headers={"Accept-Encoding": each}) for each in ("identity", "br"))

    assert compressed.headers["Content-Encoding"] == "br"
    assert compressed.content == plain.content
    assert compressed.num_bytes_downloaded < len(plain.content) / 2


def test_a_tag_is_the_same_for_head_as_for_get(shared: httpx.Client) -> None:
    assert shared.head("/v1/books/11").headers["ETag"] == shared.get("/v1/books/11").headers["ETag"]


def test_a_small_answer_is_not_compressed(shared: httpx.Client) -> None:
    response = shared.get("/v1/books/11", headers={"Accept-Encoding": "gzip, br"})

    assert "Content-Encoding" not in response.headers


def test_no_page_of_another_address_may_call_unless_it_is_named(
    shared: httpx.Client, home: Path, urls: dict[str, str]
) -> None:
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}

    with running.gateway(running.settings_for(home, urls, cors_origins=[PAGE])) as client:
        allowed = client.get("/v1/books/11", headers={"Origin": PAGE})
        before = client.options("/v1/books/11", headers=asks)
        other = client.get("/v1/books/11", headers={"Origin": "https://other.example"})

    assert allowed.headers["Access-Control-Allow-Origin"] == PAGE
    assert "ETag" in allowed.headers["Access-Control-Expose-Headers"]
    assert (before.status_code, before.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    for response in (other, shared.get("/v1/books/11", headers={"Origin": PAGE})):
        assert "Access-Control-Allow-Origin" not in response.headers
