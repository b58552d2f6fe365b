"""Counts requests in a Redis that several gateways share; while it is lost, in this process."""

from typing import Final

from prometheus_client import Counter

from gateway.limits.base import Rate, Taken
from gateway.limits.memory import MemoryCounts
from gateway.shared_redis import SharedRedis

KEY_PREFIX: Final = "bookmesh-limit:"

# One script, so that nobody counts in between; by the clock of Redis, which is one for all gateways.
TAKE: Final = """
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local interval_us, period_us = tonumber(ARGV[1]), tonumber(ARGV[2])
local before_us = math.max((tonumber(redis.call('GET', KEYS[1]) or 0) or 0) - now_us, 0)
local full_in_us = before_us + interval_us
if full_in_us > period_us then
  return {math.ceil(full_in_us - period_us), math.ceil(before_us)}
end
redis.call('SET', KEYS[1], string.format('%.0f', now_us + full_in_us), 'PX', math.ceil(full_in_us / 1000))
return {0, math.ceil(full_in_us)}
"""


class RedisCounts:
    """Redis, with the counts of this process for when it does not answer."""

    def __init__(self, redis: SharedRedis, *, alone: MemoryCounts, counted_alone: Counter) -> None:
        self._redis = redis
        self._take = redis.client.register_script(TAKE)
        self._alone = alone
        self._counted_alone = counted_alone

    async def take(self, key: str, rate: Rate) -> Taken:
        """Count a request, if it is within the rate."""

        async def take() -> Taken:
            arguments = [rate.interval_s * 1e6, rate.per_s * 1_000_000]
            wait_us, full_in_us = await self._take([KEY_PREFIX + key], arguments)
            return Taken(wait_us / 1e6, full_in_us / 1e6)

        taken: Taken | None = await self._redis.call(take)
        if taken is None:
            self._counted_alone.inc()
            return await self._alone.take(key, rate)
        return taken
