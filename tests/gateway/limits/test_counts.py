"""One contract for whatever counts requests: this process, a Redis, and this process while Redis is lost."""

from collections.abc import AsyncIterator

import anyio
import pytest
from prometheus_client import CollectorRegistry

from gateway.limits.base import Rate, RequestCounts
from gateway.limits.memory import LONGEST_S, MemoryCounts
from gateway.limits.redis import KEY_PREFIX, RedisCounts
from gateway.mesh.breaker import CircuitBreaker
from gateway.metrics import GatewayMetrics
from gateway.shared_redis import SharedRedis
from tests.services import free_port

THREE_A_MINUTE = Rate(3, 60)
TEN_A_SECOND = Rate(10, 1)


def open_counts(redis: SharedRedis, registry: CollectorRegistry | None = None) -> RedisCounts:
    counted_alone = GatewayMetrics(registry or CollectorRegistry()).limited_alone
    return RedisCounts(redis, alone=MemoryCounts(), counted_alone=counted_alone)


def open_redis(url: str) -> SharedRedis:
    seconds = GatewayMetrics(CollectorRegistry()).redis_seconds
    return SharedRedis(url, CircuitBreaker(failures=2, open_s=0.05), seconds)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine may take longer than readers should wait for Redis.
    monkeypatch.setattr("gateway.shared_redis.TIMEOUT_S", 5.0)


@pytest.fixture(params=["memory", "redis", "redis lost"])
async def counts(request: pytest.FixtureRequest) -> AsyncIterator[RequestCounts]:
    if request.param == "memory":
        yield MemoryCounts()
        return
    is_lost = request.param == "redis lost"
    url = f"redis://127.0.0.1:{free_port()}/0" if is_lost else request.getfixturevalue("redis_url")
    redis = open_redis(url)
    yield open_counts(redis)
    await redis.close()


async def test_all_requests_of_a_period_may_come_at_once_and_no_more(counts: RequestCounts) -> None:
    waits = [(await counts.take("key", THREE_A_MINUTE)).wait_s for _ in range(5)]

    assert waits[:3] == [0, 0, 0]
    assert all(19 < wait_s <= 20 for wait_s in waits[3:])


async def test_it_is_told_what_is_left(counts: RequestCounts) -> None:
    taken = [await counts.take("key", THREE_A_MINUTE) for _ in range(4)]

    assert [THREE_A_MINUTE.count_left(each) for each in taken] == [2, 1, 0, 0]
    assert all(each.full_in_s == pytest.approx(20 * n, abs=19) for n, each in enumerate(taken[:3], start=1))
    assert taken[3].full_in_s <= 60


async def test_who_is_refused_waits_no_longer_for_having_asked(counts: RequestCounts) -> None:
    waits = [(await counts.take("key", THREE_A_MINUTE)).wait_s for _ in range(20)]

    assert waits[-1] <= waits[3]


async def test_after_the_wait_one_request_is_within_the_rate(counts: RequestCounts) -> None:
    waits = [(await counts.take("key", TEN_A_SECOND)).wait_s for _ in range(12)]
    wait_s = max(waits)

    await anyio.sleep(wait_s + 0.005)

    assert 0 < wait_s <= 0.1
    assert (await counts.take("key", TEN_A_SECOND)).wait_s == 0


async def test_keys_are_counted_apart(counts: RequestCounts) -> None:
    for _ in range(4):
        await counts.take("key", THREE_A_MINUTE)

    assert (await counts.take("another", THREE_A_MINUTE)).wait_s == 0


async def test_requests_at_once_are_counted_one_by_one(counts: RequestCounts) -> None:
    waits: list[float] = []

    async def take() -> None:
        waits.append((await counts.take("key", THREE_A_MINUTE)).wait_s)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(take)

    assert waits.count(0) == 3


async def test_gateways_count_together_in_redis(redis_url: str) -> None:
    redis, another = open_redis(redis_url), open_redis(redis_url)
    for _ in range(3):
        await open_counts(redis).take("key", THREE_A_MINUTE)

    assert (await open_counts(another).take("key", THREE_A_MINUTE)).wait_s > 0
    await redis.close()
    await another.close()


async def test_redis_forgets_a_key_once_it_has_all_its_requests_again(redis_url: str) -> None:
    redis = open_redis(redis_url)

    await open_counts(redis).take("key", TEN_A_SECOND)

    assert 0 < await redis.client.pttl(KEY_PREFIX + "key") <= 100
    await redis.close()


async def test_what_is_not_ours_in_redis_counts_nothing(redis_url: str) -> None:
    redis = open_redis(redis_url)
    await redis.client.set(KEY_PREFIX + "key", "garbage")

    assert (await open_counts(redis).take("key", THREE_A_MINUTE)).wait_s == 0
    await redis.close()


async def test_a_metric_tells_what_was_counted_without_redis() -> None:
    registry = CollectorRegistry()
    redis = open_redis(f"redis://127.0.0.1:{free_port()}/0")

    await open_counts(redis, registry).take("key", THREE_A_MINUTE)

    assert registry.get_sample_value("bookmesh_limited_alone_total") == 1
    await redis.close()


async def test_this_process_keeps_a_bounded_number_of_keys() -> None:
    counts = MemoryCounts(most_keys=10)
    await counts.take("early", Rate(1, 60))
    for n in range(1000):
        await counts.take(f"key {n}", Rate(1, 60))

    assert (await counts.take("early", Rate(1, 60))).wait_s == 0
    assert (await counts.take("key 999", Rate(1, 60))).wait_s > 0


async def test_this_process_keeps_a_key_for_as_long_as_the_longest_rate() -> None:
    now_s = [0.0]
    counts = MemoryCounts(clock=lambda: now_s[0])
    an_hourly = Rate(1, LONGEST_S)
    await counts.take("other", an_hourly)
    now_s[0] = LONGEST_S - 1
    await counts.take("key", an_hourly)

    now_s[0] += LONGEST_S - 1

    assert (await counts.take("key", an_hourly)).wait_s == pytest.approx(1)
    now_s[0] += 1
    assert (await counts.take("key", an_hourly)).wait_s == 0
