"""Responses in a Redis that several gateways share, with a small cache of this process in front."""

import time
from typing import Any, Final

import structlog
from prometheus_client import Counter
from redis.exceptions import ResponseError

from gateway.cache.memory import MemoryCache
from gateway.cache.sealing import seal, unseal
from gateway.shared_redis import SharedRedis

EXPIRE_S: Final = 3600
"""Keys never go stale, but those of old versions and revisions are never looked up again either."""
COMPLAIN_EVERY_S: Final = 60.0
KEY_PREFIX: Final = "bookmesh:"

log = structlog.get_logger()


class RedisCache:
    """Redis behind a MemoryCache; while Redis is unavailable, the memory alone."""

    name = "redis"

    def __init__(self, redis: SharedRedis, *, front: MemoryCache, refused: Counter) -> None:
        self._redis = redis
        self._front = front
        self._refused = refused
        self._complained_at_s = float("-inf")

    async def get(self, key: str) -> bytes | None:
        """The response kept under a key, by this gateway or another."""
        body = await self._front.get(key)
        if body is None:
            value = await self._redis.call(lambda: self._fetch(KEY_PREFIX + key))
            if value is not None and (body := unseal(key, value)) is None:
                self._complain(key)
            if body is not None:
                await self._front.set(key, body)
        return body

    async def set(self, key: str, body: bytes) -> None:
        """Keep a response here and, if it is available, in Redis."""
        await self._front.set(key, body)
        await self._redis.call(lambda: self._redis.client.set(KEY_PREFIX + key, seal(key, body), ex=EXPIRE_S))

    async def is_healthy(self) -> bool:
        """Whether Redis answers now."""
        return await self._redis.is_healthy()

    async def close(self) -> None:
        await self._redis.close()

    async def _fetch(self, name: str) -> Any:
        try:
            value: Any = await self._redis.client.get(name)
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            return b""  # a list or the like: Redis is well, and this is not ours
        if not isinstance(value, bytes | None):
            raise TypeError(f"GET answered {value!r}")
        return value

    def _complain(self, key: str) -> None:
        """Count a value that was not ours; the list is made anew and written over it."""
        self._refused.inc()
        if time.monotonic() - self._complained_at_s >= COMPLAIN_EVERY_S:
            self._complained_at_s = time.monotonic()
            log.warning("redis_value_refused", key=KEY_PREFIX + key)
