"""Without any one server an answer is degraded, never missing."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from contracts.shell import SERVER_NAMES, ServerName
from gateway.schemas import BookList
from tests.gateway import running
from tests.gateway.running import SOUP_FAN, SPACE_READER, STRANGER
from tests.gateway.stubs import misbehaving
from tests.servers import tiny

LISTS = [
    f"/v1/users/{SPACE_READER}/recommendations",
    f"/v1/users/{SOUP_FAN}/recommendations",
    f"/v1/users/{STRANGER}/recommendations",
    "/v1/books/44/similar",
    "/v1/books/popular",
    "/v1/books/popular?subject=Soup",
    "/v1/search?q=soup",
    "/v1/search/semantic?q=soup",
]
OTHERS = [
    "/v1/books/44",
    "/v1/books/isbn/9780441478125",
    "/v1/subjects",
    f"/v1/users/{SPACE_READER}/ratings",
    f"/v1/users/{SPACE_READER}/recommendations/44/why",
    "/v1/health",
    "/v1/version",
]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a filled catalog: only to be read."""
    return running.build_home(tmp_path_factory.mktemp("catalog"))


@pytest.fixture(scope="module", params=SERVER_NAMES)
def crippled(
    request: pytest.FixtureRequest, urls: dict[str, str], catalog: Path
) -> Iterator[tuple[ServerName, httpx.Client]]:
    """Each server in turn, and a gateway that cannot reach it."""
    left = {name: url for name, url in urls.items() if name != request.param}
    with running.gateway(running.settings_for(catalog, left)) as client:
        yield request.param, client


@pytest.fixture(scope="module")
def alone(catalog: Path) -> Iterator[httpx.Client]:
    """A gateway that started while no server could be reached."""
    with running.gateway(running.settings_for(catalog, {})) as client:
        yield client


def _fetch(client: httpx.Client, path: str) -> BookList:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return BookList.model_validate_json(response.content)


def _without(urls: dict[str, str], *missing: str) -> dict[str, str]:
    return {name: url for name, url in urls.items() if name not in missing}


def test_no_route_fails_without_one_server(crippled: tuple[ServerName, httpx.Client]) -> None:
    missing, client = crippled

    for path in [*LISTS, *OTHERS]:
        response = client.get(path)

        assert response.status_code == 200, (path, response.text)
        assert set(response.json().get("degraded", [])) <= {missing}
    for told in ({"subjects": ["Soup"]}, {"authors": ["Author 1"]}, {"gender": "female"}):
        assert client.post("/v1/recommendations", json=told).status_code == 200


def test_every_list_stays_full_without_any_one_server(crippled: tuple[ServerName, httpx.Client]) -> None:
    _, client = crippled

    for path in LISTS:
        found = _fetch(client, path)

        assert len(found.items) >= (6 if "oup" in path else 10), path
        assert all(item.title and item.authors for item in found.items)


def test_health_names_the_missing_server(crippled: tuple[ServerName, httpx.Client]) -> None:
    missing, client = crippled

    health = client.get("/v1/health").json()

    assert health["status"] == "degraded"
    assert [name for name, server in health["servers"].items() if not server["live"]] == [missing]
    assert health["servers"][missing]["error"]


@pytest.mark.parametrize(
    ("missing", "path", "mode", "degraded"),
    [
        (["als"], LISTS[0], "subjects", ["als"]),
        (["als", "embedder"], LISTS[0], "popular", ["als", "embedder"]),
        (["als", "similarity"], LISTS[0], "popular", ["als", "similarity"]),
        (["als", "embedder", "metadata"], LISTS[0], "popular", ["als", "embedder", "metadata"]),
        (["metadata"], LISTS[0], "collaborative", ["metadata"]),
        (["metadata"], LISTS[1], "subjects", ["metadata"]),
        (["metadata"], LISTS[2], "popular", ["metadata"]),
        (["embedder"], LISTS[1], "subjects", []),
        (["als"], LISTS[1], "subjects", ["als"]),
        (["als", "metadata"], LISTS[1], "subjects", ["als", "metadata"]),
        (["als", "embedder"], LISTS[1], "popular", ["als", "embedder"]),
        (["als", "similarity"], LISTS[1], "popular", ["als", "similarity"]),
        (["als", "embedder", "metadata"], LISTS[1], "popular", ["als", "embedder", "metadata"]),
        (["similarity"], LISTS[3], "popular", ["similarity"]),
        (["metadata"], LISTS[6], "semantic", ["metadata"]),
        (["semantic"], LISTS[7], "keyword", ["semantic"]),
        (["semantic"], LISTS[0], "collaborative", []),
    ],
)
def test_each_missing_server_has_its_fallback(
    urls: dict[str, str], catalog: Path, missing: list[str], path: str, mode: str, degraded: list[str]
) -> None:
    with running.gateway(running.settings_for(catalog, _without(urls, *missing))) as client:
        found = _fetch(client, f"{path}{'&' if '?' in path else '?'}k=4")

    assert (found.mode, found.degraded) == (mode, degraded)
    assert len(found.items) == 4


def test_without_similarity_a_book_gets_popular_ones_of_its_main_subject(
    urls: dict[str, str], catalog: Path
) -> None:
    with running.gateway(running.settings_for(catalog, _without(urls, "similarity"))) as client:
        found = _fetch(client, f"/v1/books/{tiny.SOUP_IDS[2]}/similar?k=3")

        assert client.get("/v1/books/5/similar").status_code == 404
    assert {item.main_subject for item in found.items} == {"Soup"}


def test_a_gateway_that_starts_alone_serves_what_is_popular_in_the_catalog(alone: httpx.Client) -> None:
    found = _fetch(alone, LISTS[0])

    assert (found.version, found.mode) == ("none", "popular")
    assert len(found.items) == 10
    assert not {book_id for book_id, _ in running.SPACE_HISTORY} & {item.book_id for item in found.items}
    assert [item.book_id for item in _fetch(alone, "/v1/books/popular?k=2").items] == [11, 22]
    assert alone.get("/health/ready").status_code == 200
    assert alone.get("/v1/health").status_code == 200


@pytest.mark.parametrize("path", ["/v1/search?q=joy+soup", "/v1/search/semantic?q=the+joy+of+soup"])
def test_without_any_server_popular_books_are_searched(alone: httpx.Client, path: str) -> None:
    found = _fetch(alone, path)

    assert (found.mode, found.degraded) == ("keyword", ["metadata", "semantic"])
    assert found.items[0].title == "The Joy of Soup"


def test_without_metadata_filters_choose_among_popular_books(urls: dict[str, str], catalog: Path) -> None:
    with running.gateway(running.settings_for(catalog, _without(urls, "metadata"))) as client:
        found = _fetch(client, "/v1/search?q=soup&subject=soup&year_to=1957&author=author+4")
        page = client.get("/v1/books?subject=Soup&sort=newest&limit=2&offset=1").json()
        nothing = client.get("/v1/books?language=eng&year_from=1990").json()

    assert [item.title for item in found.items] == ["Soup for Everyone", "The Joy of Soup"]
    assert found.degraded == page["degraded"] == nothing["degraded"] == ["metadata"]
    assert ([item["title"] for item in page["items"]], page["total"]) == (
        ["García's Kitchen", "Onions and Leeks"],
        6,
    )
    assert (nothing["items"], nothing["total"]) == ([], 0)


def test_a_degraded_list_is_not_kept(urls: dict[str, str], home: Path) -> None:
    with running.gateway(running.settings_for(home, _without(urls, "als"))) as client:
        for _ in range(2):
            _fetch(client, LISTS[0])
        metrics = client.get("/metrics").text

    assert 'bookmesh_cache_lookups_total{outcome="miss"} 2.0' in metrics
    assert 'cache_lookups_total{outcome="hit"}' not in metrics
    assert 'bookmesh_degraded_total{dependency="als"} 2.0' in metrics


@contextmanager
def hanging() -> Iterator[str]:
    """Base URL of a server that takes every request and answers none."""
    addresses: list[str] = []
    started, stop = threading.Event(), threading.Event()

    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, _: int) -> None:
        await reader.read()

    async def run() -> None:
        async with misbehaving(hang) as url:
            addresses.append(url)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    started.wait()
    try:
        yield addresses[0]
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("slow", SERVER_NAMES)
def test_a_server_that_hangs_costs_no_more_than_the_deadline(
    urls: dict[str, str], home: Path, slow: ServerName
) -> None:
    with (
        hanging() as url,
        running.gateway(running.settings_for(home, {**urls, slow: url}, deadline_s=0.6)) as client,
    ):
        for path in (LISTS[0], LISTS[3], LISTS[6], LISTS[7]):
            response = client.get(path)

            assert response.status_code == 200, (path, response.text)
            # Beyond the deadline come the SQL fallback and the time that this machine takes for all else.
            assert response.elapsed.total_seconds() < 0.6 + 2


def test_readers_without_an_account_are_served_without_the_catalog(
    urls: dict[str, str], home: Path, version: str
) -> None:
    with running.gateway(running.settings_for(home, urls)) as client:
        _ruin_catalog(home)

        for path in LISTS[3:]:
            assert _fetch(client, path).version == version
        liked = client.post("/v1/recommendations", json={"liked": [{"book_id": 11}], "subjects": ["Soup"]})
        assert (liked.status_code, liked.json()["mode"]) == (200, "collaborative")
        told = client.post("/v1/recommendations", json={"authors": ["Author 1"], "gender": "female"})
        assert (told.status_code, told.json()["mode"], told.json()["degraded"]) == (
            200,
            "subjects",
            ["catalog"],
        )
        assert client.get("/v1/books/11").status_code == 200
        assert client.get("/v1/health").json()["catalog"] is False
        for refused in (client.get(LISTS[0]), client.put("/v1/users/1/ratings/44", json={"rating": 5})):
            assert (refused.status_code, refused.json()["code"]) == (503, "catalog_unavailable")
            assert refused.headers["Retry-After"] == "1"


def test_readers_are_served_without_the_catalog_as_they_were_last(urls: dict[str, str], home: Path) -> None:
    with running.gateway(running.settings_for(home, urls)) as client:
        before = _fetch(client, LISTS[0])
        _ruin_catalog(home)

        known, stranger = _fetch(client, LISTS[0]), _fetch(client, LISTS[1])
        why = client.get(f"{LISTS[0]}/44/why")
        refused = client.put(f"/v1/users/{SPACE_READER}/ratings/44", json={"rating": 5})

    assert (known.mode, known.degraded, known.items) == ("collaborative", ["catalog"], before.items)
    assert (stranger.mode, stranger.degraded, len(stranger.items)) == ("popular", ["catalog"], 10)
    assert (why.status_code, why.json()["degraded"]) == (200, ["catalog"])
    assert {each["book_id"] for each in why.json()["because"]} == {11, 22}
    assert (refused.status_code, refused.json()["code"]) == (503, "catalog_unavailable")


def _ruin_catalog(home: Path) -> None:
    for file in home.glob("catalog.db*"):
        file.write_bytes(b"no database any more" * 5000)  # in place, since the gateway holds it open
