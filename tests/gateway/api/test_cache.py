"""Responses that several gateways share, and what stays without Redis."""

from pathlib import Path

import httpx
import pytest
import redis

from gateway.cache.redis import KEY_PREFIX
from tests.gateway import running
from tests.gateway.running import SPACE_READER
from tests.services import free_port

PATH = f"/v1/users/{SPACE_READER}/recommendations"


def _hits(client: httpx.Client) -> int:
    lines = client.get("/metrics").text.splitlines()
    name = 'bookmesh_cache_lookups_total{outcome="hit"}'
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(name))


def test_one_gateway_answers_from_what_another_found(
    urls: dict[str, str], home: Path, redis_url: str
) -> None:
    settings = running.settings_for(home, urls, cache={"redis_url": redis_url})
    with running.gateway(settings) as one, running.gateway(settings) as other:
        first = one.get(PATH)
        second = other.get(PATH)

        assert second.content == first.content
        assert (_hits(one), _hits(other)) == (0, 1)
        assert one.get("/v1/health").json()["cache"] == "redis"


def test_a_rating_through_one_gateway_changes_the_next_list_of_another(
    urls: dict[str, str], home: Path, redis_url: str
) -> None:
    settings = running.settings_for(home, urls, cache={"redis_url": redis_url})
    with running.gateway(settings) as one, running.gateway(settings) as other:
        best = other.get(PATH).json()["items"][0]["book_id"]

        one.put(f"/v1/users/{SPACE_READER}/ratings/{best}", json={"rating": 7})

        assert best not in [item["book_id"] for item in other.get(PATH).json()["items"]]


def test_whichever_gateway_takes_a_rating_none_answers_with_a_list_from_before(
    urls: dict[str, str], home: Path
) -> None:
    settings = running.settings_for(home, urls)
    with running.gateway(settings) as one, running.gateway(settings) as other:
        for writer, reader in [(one, other), (other, one)] * 2:
            best = reader.get(PATH).json()["items"][0]["book_id"]
            assert writer.get(PATH).content == reader.get(PATH).content

            writer.put(f"/v1/users/{SPACE_READER}/ratings/{best}", json={"rating": 7})

            lists = [client.get(PATH).json()["items"] for client in (reader, writer)]
            assert best not in {item["book_id"] for items in lists for item in items}
        assert _hits(one) + _hits(other) >= 4


@pytest.mark.parametrize("value", [b"garbage", b"", b'{"items": [], "version": "1"}'])
def test_garbage_in_redis_is_neither_served_nor_kept(
    urls: dict[str, str], home: Path, redis_url: str, value: bytes
) -> None:
    settings = running.settings_for(home, urls, cache={"redis_url": redis_url})
    with running.gateway(settings) as client:
        honest = client.get(PATH).content
    with redis.Redis.from_url(redis_url) as server:
        [key] = server.keys(f"{KEY_PREFIX}*")  # type: ignore[misc]
        server.set(key, value)

    with running.gateway(settings) as client:
        assert client.get(PATH).content == honest
    with redis.Redis.from_url(redis_url) as server:
        assert server.get(key) != value


def test_without_redis_no_answer_changes(urls: dict[str, str], home: Path) -> None:
    settings = running.settings_for(home, urls, cache={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    with running.gateway(settings) as client:
        first, second = client.get(PATH), client.get(PATH)

        assert (first.status_code, first.json()["degraded"]) == (200, [])
        assert second.content == first.content
        assert _hits(client) == 1
        health = client.get("/v1/health").json()
        assert (health["status"], health["cache_ok"]) == ("degraded", False)
