"""The shared cache against a real Redis, and without one."""

import pytest
import redis
from prometheus_client import CollectorRegistry

from gateway.cache.memory import MemoryCache
from gateway.cache.redis import EXPIRE_S, KEY_PREFIX, RedisCache
from gateway.cache.sealing import seal
from gateway.mesh.breaker import CircuitBreaker
from gateway.metrics import GatewayMetrics
from gateway.shared_redis import SharedRedis
from tests.services import free_port


def _open(url: str, registry: CollectorRegistry | None = None) -> RedisCache:
    breaker = CircuitBreaker(failures=2, open_s=60.0)
    metrics = GatewayMetrics(registry or CollectorRegistry())
    redis = SharedRedis(url, breaker, metrics.redis_seconds)
    return RedisCache(redis, front=MemoryCache(100_000), refused=metrics.cache_refused)


async def test_one_gateway_finds_what_another_kept(redis_url: str) -> None:
    here, there = _open(redis_url), _open(redis_url)
    await there.set("key", b"body")

    found = await here.get("key")

    assert found == b"body"
    assert await here.is_healthy()
    await here.close()
    await there.close()


async def test_what_was_found_once_needs_no_redis_any_more(redis_url: str) -> None:
    cache = _open(redis_url)
    await cache.set("key", b"body")
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()

    assert await cache.get("key") == b"body"
    await cache.close()


async def test_keys_expire_by_themselves(redis_url: str) -> None:
    cache = _open(redis_url)

    await cache.set("key", b"body")

    with redis.Redis.from_url(redis_url) as client:
        assert 0 < client.ttl(KEY_PREFIX + "key") <= EXPIRE_S  # type: ignore[operator]
    await cache.close()


async def test_without_redis_the_memory_goes_on_alone() -> None:
    cache = _open(f"redis://127.0.0.1:{free_port()}/0")

    for n in range(4):
        await cache.set(f"key{n}", b"body")

    assert await cache.get("key3") == b"body"
    assert await cache.get("never set") is None
    assert not await cache.is_healthy()
    await cache.close()


@pytest.mark.parametrize(
    "value",
    [
        b"", b"garbage", b'{"items": []}', seal("key", b"body")[:-1], seal("key", b"body") + b"!",
        seal("another key", b"body"), b"bookmesh0" + seal("key", b"body")[9:],
    ],
    ids=["empty", "garbage", "bare", "cut off", "longer", "of another key", "of another format"],
)  # fmt: skip
async def test_a_value_that_is_not_ours_is_a_miss(redis_url: str, value: bytes) -> None:
    registry = CollectorRegistry()
    cache = _open(redis_url, registry)
    with redis.Redis.from_url(redis_url) as client:
        client.set(KEY_PREFIX + "key", value)

    assert await cache.get("key") is None
    assert registry.get_sample_value("bookmesh_cache_refused_total") == 1
    await cache.close()


async def test_a_key_of_another_type_is_a_miss_and_no_failure_of_redis(redis_url: str) -> None:
    cache, other = _open(redis_url), _open(redis_url)
    await other.set("good", b"body")
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(KEY_PREFIX + "key", "1")

    for _ in range(5):
        assert await cache.get("key") is None
    assert await cache.get("good") == b"body"
    await cache.set("key", b"body")
    await other.close()
    other = _open(redis_url)
    assert await other.get("key") == b"body"
    await cache.close()
    await other.close()
