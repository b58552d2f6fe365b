"""Responses in the memory of this process."""

from contextlib import suppress
from typing import Final

from cachetools import LRUCache

ENTRY_OVERHEAD_BYTES: Final = 300
"""About what a key and Python's objects around one entry take."""


class MemoryCache:
    """The responses used last, up to so many bytes."""

    name = "memory"

    def __init__(self, max_bytes: int) -> None:
        self._responses: LRUCache[str, bytes] = LRUCache(max_bytes, getsizeof=_entry_bytes)

    async def get(self, key: str) -> bytes | None:
        """The response kept under a key, which thereby counts as used."""
        return self._responses.get(key)

    async def set(self, key: str, body: bytes) -> None:
        """Keep a response; one larger than the whole cache is not kept."""
        with suppress(ValueError):  # cachetools' word for too large
            self._responses[key] = body

    async def is_healthy(self) -> bool:
        return True

    async def close(self) -> None:
        pass


def _entry_bytes(body: bytes) -> int:
    return len(body) + ENTRY_OVERHEAD_BYTES
