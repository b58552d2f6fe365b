"""Counts requests in this process."""

import time
from collections.abc import Callable
from typing import Final

from gateway.limits.base import Rate, Taken

LONGEST_S: Final = 3600
"""No rate is for longer: what was not touched for so long, counts nothing any more."""
MOST_KEYS: Final = 100_000
"""In each half, some 200 bytes a key; one who has more addresses than that is forgotten before their time."""


class MemoryCounts:
    """Two halves take turns, so that old keys go without a search: the elder is dropped whole."""

    def __init__(self, *, most_keys: int = MOST_KEYS, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_keys = most_keys
        self._clock = clock
        self._turned_at_s = clock()
        self._young: dict[str, float] = {}
        self._old: dict[str, float] = {}

    async def take(self, key: str, rate: Rate) -> Taken:
        """Count a request, if it is within the rate."""
        now_s = self._clock()
        if len(self._young) >= self._most_keys or now_s - self._turned_at_s > LONGEST_S:
            self._turned_at_s, self._young, self._old = now_s, {}, self._young
        full_at_s = max(self._young.get(key) or self._old.get(key, now_s), now_s)
        full_in_s = full_at_s - now_s + rate.interval_s
        if (wait_s := full_in_s - rate.per_s) > 0:
            return Taken(wait_s, full_at_s - now_s)
        self._young[key] = now_s + full_in_s
        return Taken(0.0, full_in_s)
