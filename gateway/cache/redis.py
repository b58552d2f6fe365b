"""Responses in a Redis that several gateways share, with a small cache of this process in front."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.cache.memory import MemoryCache
from gateway.mesh.breaker import CircuitBreaker

EXPIRE_S: Final = 3600
"""Keys never go stale, but those of old versions and revisions are never looked up again either."""
TIMEOUT_S: Final = 0.05
KEY_PREFIX: Final = "bookmesh:"

log = structlog.get_logger()


class RedisCache:
    """Redis behind a MemoryCache; while Redis is unavailable, the memory alone."""

    name = "redis"

    def __init__(self, url: str, *, front: MemoryCache, breaker: CircuitBreaker) -> None:
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._front = front
        self._breaker = breaker

    async def get(self, key: str) -> bytes | None:
        """The response kept under a key, by this gateway or another."""
        body = await self._front.get(key)
        if body is None:
            body = await self._call(lambda: self._redis.get(KEY_PREFIX + key))
            if body is not None:
                await self._front.set(key, body)
        return body

    async def set(self, key: str, body: bytes) -> None:
        """Keep a response here and, if it is available, in Redis."""
        await self._front.set(key, body)
        await self._call(lambda: self._redis.set(KEY_PREFIX + key, body, ex=EXPIRE_S))

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
