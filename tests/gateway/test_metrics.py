"""What the gateway counts: every list, what readers do with it, and never by reader or by book."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.errors import ClientCode
from gateway.metrics import N_BOOKS_BUCKETS
from tests.gateway import running
from tests.gateway.running import SPACE_READER, STRANGER

OWN = f"/v1/users/{SPACE_READER}/recommendations"
MOST_SERIES = 2000
"""Of one gateway, however many readers, books and strangers there are; the load below makes a third of it."""


@pytest.fixture
def client(home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    """A gateway that has counted nothing yet."""
    with running.gateway(running.settings_for(home, urls)) as client:
        yield client


def read(client: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every series of the gateway, and its value."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(client: httpx.Client, name: str, **labels: str) -> float | None:
    return read(client).get((name, frozenset(labels.items())))


def test_every_list_is_counted_from_a_cache_too(client: httpx.Client) -> None:
    for _ in range(3):
        items = client.get(OWN).json()["items"]

    assert value(client, "bookmesh_list_seconds_count", surface="recommendations", cached="no") == 1
    assert value(client, "bookmesh_list_seconds_count", surface="recommendations", cached="yes") == 2
    labels = {"surface": "recommendations", "mode": "collaborative"}
    assert value(client, "bookmesh_list_books_sum", **labels) == 3 * len(items)
    for place, item in (("first", items[0]), ("last", items[-1])):
        total = value(client, "bookmesh_list_scores_sum", mode="collaborative", place=place)
        assert total == pytest.approx(3 * item["score"])


def test_a_list_without_books_is_counted_as_empty(client: httpx.Client) -> None:
    client.get("/v1/search", params={"q": "zzzzqqqqxxxx"})

    labels = {"surface": "search", "mode": "keyword"}
    assert value(client, "bookmesh_list_books_bucket", le=f"{N_BOOKS_BUCKETS[0]:.1f}", **labels) == 1
    assert value(client, "bookmesh_list_scores_count", mode="keyword", place="first") == 0


def test_what_readers_do_with_a_list_is_counted_once_by_its_surface_and_mode(client: httpx.Client) -> None:
    shown = client.get(OWN).json()
    events = [
        {"kind": kind, "book_id": item["book_id"], "at": 1795270000, "list_id": shown["list_id"]}
        for kind, items in (("impression", shown["items"]), ("click", shown["items"][:1]))
        for item in items
    ]
    made_up = {"kind": "click", "book_id": events[0]["book_id"], "at": 1795270001, "list_id": "my.own"}

    for _ in range(2):  # what is sent again is not done again
        client.post("/v1/events", json={"user_id": SPACE_READER, "events": [*events, made_up]})

    labels = {"surface": "recommendations", "mode": "collaborative"}
    n_shown = len(shown["items"])
    assert value(client, "bookmesh_events_total", kind="impression", **labels) == n_shown
    assert value(client, "bookmesh_events_total", kind="click", **labels) == 1
    assert value(client, "bookmesh_events_total", kind="click", surface="other", mode="other") == 1


def test_a_degraded_list_names_what_was_lost_each_time(home: Path, urls: dict[str, str]) -> None:
    without = {name: url for name, url in urls.items() if name != "als"}
    with running.gateway(running.settings_for(home, without)) as client:
        for _ in range(2):
            assert client.get(OWN).json()["degraded"] == ["als"]

        assert value(client, "bookmesh_degraded_total", dependency="als") == 2
        assert value(client, "bookmesh_server_live", server="als") == 0


def test_a_breaker_tells_when_it_opens(home: Path, urls: dict[str, str]) -> None:
    options = {"breaker": {"failures": 1, "open_s": 60}}
    with running.gateway(running.settings_for(home, {**urls, "als": running.NOWHERE}, **options)) as client:
        client.get(OWN)

        assert value(client, "bookmesh_breaker_open", dependency="als") == 1
        assert value(client, "bookmesh_breaker_open", dependency="metadata") == 0


def test_an_error_is_counted_by_its_code(client: httpx.Client) -> None:
    client.get("/v1/users/999999/recommendations")

    assert value(client, "bookmesh_problems_total", process="gateway", code=ClientCode.USER_NOT_FOUND) == 1


def test_a_varied_load_makes_few_series(client: httpx.Client) -> None:
    for number in range(60):
        send_varied(client, number)
    before = len(read(client))
    for number in range(60, 160):
        send_varied(client, number)

    after = read(client)
    assert len(after) - before < 25  # what the first sixty had not met by chance
    assert len(after) < MOST_SERIES
    ours = [labels for name, labels in after if name.startswith("bookmesh_")]
    values = {text for labels in ours for name, text in labels if name != "le"}
    # Digits are those of statuses.
    assert not [text for text in values if "999" in text or (text.isdigit() and len(text) != 3)]


def send_varied(client: httpx.Client, number: int) -> None:
    """One of many requests: of readers and books that are there or not, well or badly made."""
    user_id, book_id = (SPACE_READER, STRANGER, 9990 + number)[number % 3], 10 + number
    params: dict[str, Any] = {"k": number % 40, "mode": ("auto", "subjects", "popular", "als")[number % 4]}
    paths = [
        f"/v1/users/{user_id}/recommendations",
        f"/v1/books/{book_id}/similar",
        f"/v1/books/{book_id}",
        "/v1/books",
        "/v1/search",
        "/v1/search/semantic",
        f"/v1/nowhere/{number}",
        f"/{number}",
    ]
    client.get(paths[number % len(paths)], params=params | {"q": f"space {number}"})
    event = {
        "kind": "click",
        "book_id": 11,
        "at": number,
        "list_id": f"made.up.{number}",
        "surface": f"s{number}",
    }
    client.post("/v1/events", json={"user_id": user_id, "events": [event]})
    client.request(("DELETE", "PATCH", f"X{number}")[number % 3], f"/v1/users/{user_id}/ratings/{book_id}")
