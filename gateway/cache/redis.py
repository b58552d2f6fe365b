"""Responses in a Redis that several gateways share, with a small cache of this process in front."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from gateway.cache.memory import MemoryCache
from gateway.cache.sealing import seal, unseal
from gateway.mesh.breaker import CircuitBreaker

EXPIRE_S: Final = 3600
"""Keys never go stale, but those of old versions and revisions are never looked up again either."""
TIMEOUT_S: Final = 0.05
COMPLAIN_EVERY_S: Final = 60.0
KEY_PREFIX: Final = "bookmesh:"

log = structlog.get_logger()


class RedisCache:
    """Redis behind a MemoryCache; while Redis is unavailable, the memory alone."""

    name = "redis"

    def __init__(self, url: str, *, front: MemoryCache, breaker: CircuitBreaker, refused: Counter) -> None:
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._front = front
        self._breaker = breaker
        self._refused = refused
        self._complained_at_s = float("-inf")

    async def get(self, key: str) -> bytes | None:
        """The response kept under a key, by this gateway or another."""
        body = await self._front.get(key)
        if body is None:
            value = await self._call(lambda: self._fetch(KEY_PREFIX + key))
            if value is not None and (body := unseal(key, value)) is None:
                self._complain(key)
            if body is not None:
                await self._front.set(key, body)
        return body

    async def set(self, key: str, body: bytes) -> None:
        """Keep a response here and, if it is available, in Redis."""
        await self._front.set(key, body)
        await self._call(lambda: self._redis.set(KEY_PREFIX + key, seal(key, body), ex=EXPIRE_S))

    async def is_healthy(self) -> bool:
        """Whether Redis answers now."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        await self._redis.aclose()

    async def _fetch(self, name: str) -> Any:
        try:
            value: Any = await self._redis.get(name)
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            return b""  # a list or the like: Redis is well, and this is not ours
        return value

    def _complain(self, key: str) -> None:
        """Count a value that was not ours; the list is made anew and written over it."""
        self._refused.inc()
        if time.monotonic() - self._complained_at_s >= COMPLAIN_EVERY_S:
            self._complained_at_s = time.monotonic()
            log.warning("redis_value_refused", key=KEY_PREFIX + key)

    async def _call(self, command: Callable[[], Awaitable[Any]]) -> Any:
        """The result of a command; None while Redis is unavailable."""
        if not self._breaker.allows():
            return None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                result = await command()
        except (RedisError, OSError, TimeoutError) as error:
            if self._breaker.state == "closed":
                log.warning("redis_lost", error=f"{type(error).__name__}: {error}")
            self._breaker.failed()
            return None
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.succeeded()
        return result
