"""The Redis that several gateways share, and what to do while it does not answer: go on without."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from prometheus_client import Histogram
from redis.asyncio import Redis

from gateway.mesh.breaker import CircuitBreaker
from telemetry.tracing import span

TIMEOUT_S: Final = 0.05

log = structlog.get_logger()


class SharedRedis:
    """One client for all that this gateway keeps there; what fails too often is left alone for a while."""

    def __init__(self, url: str, breaker: CircuitBreaker, seconds: Histogram) -> None:
        self.client = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._breaker = breaker
        self._seconds = seconds

    async def call(self, command: Callable[[], Awaitable[Any]]) -> Any:
        """The result of a command; None while Redis is unavailable."""
        if not self._breaker.allows():
            return None
        try:
            with self._seconds.time(), span("redis", {"db.system.name": "redis"}, is_call=True):
                async with asyncio.timeout(TIMEOUT_S):
                    result = await command()
        except Exception as error:  # noqa: BLE001  (a broken connection, or what is no Redis, may raise anything)
            if self._breaker.state == "closed":
                log.warning("redis_lost", error=f"{type(error).__name__}: {error}")
            self._breaker.failed()
            return None
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.succeeded()
        return result

    async def is_healthy(self) -> bool:
        """Whether Redis answers now."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self.client.ping()
        except Exception:  # noqa: BLE001  (as above)
            return False
        return True

    async def close(self) -> None:
        await self.client.aclose()
