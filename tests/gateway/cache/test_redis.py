"""The shared cache against a real Redis, and without one."""

import redis

from gateway.cache.memory import MemoryCache
from gateway.cache.redis import EXPIRE_S, KEY_PREFIX, RedisCache
from gateway.mesh.breaker import CircuitBreaker
from tests.services import free_port


def _open(url: str) -> RedisCache:
    breaker = CircuitBreaker(failures=2, open_s=60.0)
    return RedisCache(url, front=MemoryCache(100_000), breaker=breaker)


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
