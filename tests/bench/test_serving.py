"""How long readers wait, alone and beside others."""

import asyncio
import json
import os
import time
from itertools import count, cycle
from typing import Any

import aiohttp
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from contracts.shell import DEFAULT_PORTS
from tests.bench.client import Client, find_readers
from tests.meshes import Mesh

N_READERS = 300
N_CLIENTS = 16
LOAD_S = 5.0


@pytest.fixture(scope="session")
def readers(client: Client) -> list[int]:
    return find_readers(client, N_READERS)


@pytest.fixture(scope="session")
def fresh_weight() -> Any:
    """A popularity weight that no request of this run has had: its answer cannot be cached."""
    numbers = count(int(time.time()) % 1_000_000)
    return lambda: 0.2 + next(numbers) * 1e-9


@pytest.mark.usefixtures("percentiles")
def test_uncached_recommendation_at_one_client(
    benchmark: BenchmarkFixture, client: Client, readers: list[int], fresh_weight: Any
) -> None:
    turn = cycle(readers)

    def ask() -> None:
        client.get(f"/v1/users/{next(turn)}/recommendations", k=10, popularity_weight=fresh_weight())

    benchmark.pedantic(ask, rounds=600, warmup_rounds=30)


@pytest.mark.usefixtures("percentiles")
def test_uncached_list_for_subjects_at_one_client(
    benchmark: BenchmarkFixture, client: Client, fresh_weight: Any
) -> None:
    subjects = [row["name"] for row in json.loads(client.get("/v1/subjects", limit=20))["items"]]
    turn = cycle(subjects)

    def ask() -> None:
        client.post("/v1/recommendations", {"subjects": [next(turn)], "popularity_weight": fresh_weight()})

    benchmark.pedantic(ask, rounds=300, warmup_rounds=20)


@pytest.mark.usefixtures("percentiles")
def test_uncached_similar_books_at_one_client(
    benchmark: BenchmarkFixture, client: Client, fresh_weight: Any
) -> None:
    books = [item["book_id"] for item in json.loads(client.get("/v1/books/popular", k=100))["items"]]
    turn = cycle(books)

    def ask() -> None:
        client.get(f"/v1/books/{next(turn)}/similar", mode="hybrid", weight=fresh_weight())

    benchmark.pedantic(ask, rounds=300, warmup_rounds=20)


@pytest.mark.usefixtures("percentiles")
def test_cached_recommendation_at_one_client(
    benchmark: BenchmarkFixture, client: Client, readers: list[int]
) -> None:
    path = f"/v1/users/{readers[0]}/recommendations"

    benchmark.pedantic(lambda: client.get(path, k=10), rounds=1000, warmup_rounds=30)


@pytest.mark.usefixtures("percentiles")
def test_rank_of_the_als_server_alone(
    benchmark: BenchmarkFixture, client: Client, readers: list[int], als_url: str
) -> None:
    bodies = []
    for user_id in readers[:100]:
        history = json.loads(client.get(f"/v1/users/{user_id}/ratings", limit=500))["items"]
        read = [{"book_id": item["book_id"], "rating": item["rating"]} for item in history]
        bodies.append({"history": read, "k": 40, "exclude": [item["book_id"] for item in history]})
    turn = cycle(bodies)

    with Client(als_url) as als:
        benchmark.pedantic(lambda: als.post("/rank", next(turn)), rounds=600, warmup_rounds=30)


@pytest.mark.parametrize("is_cached", [False, True], ids=["uncached", "cached"])
def test_requests_per_second_at_16_clients(
    benchmark: BenchmarkFixture,
    gateway_url: str,
    key_headers: dict[str, str],
    readers: list[int],
    fresh_weight: Any,
    report: Any,
    is_cached: bool,
) -> None:
    turn = cycle(readers[:20] if is_cached else readers)

    def next_path() -> str:
        path = f"{gateway_url}/v1/users/{next(turn)}/recommendations?k=10"
        return path if is_cached else f"{path}&popularity_weight={fresh_weight()}"

    seconds = benchmark.pedantic(lambda: asyncio.run(drive(next_path, key_headers)), rounds=1)

    n, p50, p99 = len(seconds), seconds[len(seconds) // 2], seconds[int(0.99 * len(seconds))]
    name = "cached" if is_cached else "uncached"
    benchmark.extra_info |= {"requests_per_s": n / LOAD_S, "p50_ms": 1000 * p50, "p99_ms": 1000 * p99}
    report(
        f"{N_CLIENTS} clients, {name}: {n / LOAD_S:.0f} requests/s, "
        f"p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms"
    )


async def drive(next_path: Any, headers: dict[str, str]) -> list[float]:
    """Seconds of every request that the clients got answered within LOAD_S, ascending."""
    seconds: list[float] = []
    end_s = time.perf_counter() + LOAD_S

    async def one_client(session: aiohttp.ClientSession) -> None:
        while (started_s := time.perf_counter()) < end_s:
            async with session.get(next_path()) as response:
                await response.read()
                assert response.status == 200
            seconds.append(time.perf_counter() - started_s)

    connector = aiohttp.TCPConnector(limit=N_CLIENTS)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        await asyncio.gather(*(one_client(session) for _ in range(N_CLIENTS)))
    return sorted(seconds)


@pytest.fixture(scope="session")
def als_url(request: pytest.FixtureRequest) -> str:
    """The als server behind that gateway: BOOKMESH_BENCH_ALS_URL, its usual port, or that of the own mesh."""
    if "BOOKMESH_BENCH_URL" not in os.environ:
        mesh: Mesh = request.getfixturevalue("mesh")
        return mesh.url("als")
    return os.environ.get("BOOKMESH_BENCH_ALS_URL", f"http://127.0.0.1:{DEFAULT_PORTS['als']}")
