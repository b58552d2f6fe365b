"""Redis killed and started again while requests come: none fails, and limits hold all the while."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
import redis

from tests.gateway import running
from tests.loopback.load import ListQuery, has_more, steady_load
from tests.meshes import wait_until
from tests.services import find_binary, free_port
from tests.services import running as running_server

QUERIES = [ListQuery("/v1/search", {"q": "space"}, is_lookup=True), ListQuery("/v1/books/popular")]
PER_SECOND = 40
StartRedis = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def redis_port() -> int:
    return free_port()


@pytest.fixture
def start_redis(redis_port: int, tmp_path: Path) -> StartRedis:
    """Starts an empty Redis on one port; the end of the block kills it."""
    binary = find_binary("redis-server", package="redis-server")
    command = [binary, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]

    def ping() -> None:
        with redis.Redis(port=redis_port) as client:
            client.ping()

    @contextmanager
    def started() -> Iterator[None]:
        with running_server(command, tmp_path / "redis.log", until=ping, stop=signal.SIGKILL):
            yield

    return started


def is_cached(client: httpx.Client) -> bool:
    return bool(client.get("/v1/health").json()["cache_ok"])


def test_requests_go_on_while_redis_is_killed_and_comes_back(
    start_redis: StartRedis, redis_port: int, home: Path, urls: dict[str, str]
) -> None:
    settings = running.settings_for(home, urls, cache={"redis_url": f"redis://127.0.0.1:{redis_port}/0"})
    with (
        running.gateway(settings) as client,
        steady_load(client, QUERIES, per_second=PER_SECOND) as load,
    ):
        with start_redis():
            wait_until(lambda: is_cached(client))
            wait_until(has_more(load, 40))
        wait_until(lambda: not is_cached(client))
        assert client.get("/v1/health").json()["status"] == "degraded"
        wait_until(has_more(load, 40))
        with start_redis(), redis.Redis(port=redis_port) as server:
            wait_until(lambda: server.keys("bookmesh-limit:*"))
            wait_until(has_more(load, 40))

    assert [(outcome.status, outcome.body) for outcome in load.failures] == []
