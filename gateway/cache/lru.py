"""Least-recently-used maps in this process: one bounded by entries, one for responses bounded by bytes."""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

ENTRY_OVERHEAD_BYTES: Final = 200
"""About what Python's objects around one key and body take."""


class LruMap(Generic[KeyT, ValueT]):
    """A mapping that forgets what was not used for longest once it holds more than `size` entries."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[KeyT, ValueT] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: KeyT) -> ValueT | None:
        """The value of a key, which thereby counts as used."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def set(self, key: KeyT, value: ValueT) -> None:
        """Keep a value."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)


class MemoryCache:
    """Responses in this process, up to so many bytes."""

    name = "memory"

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[str, bytes] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """The response kept under a key, which thereby counts as used."""
        body = self._entries.get(key)
        if body is not None:
            self._entries.move_to_end(key)
        return body

    async def set(self, key: str, body: bytes) -> None:
        """Keep a response; one larger than the whole cache is not kept."""
        self._forget(key)
        self._entries[key] = body
        self._bytes += _size(key, body)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._entries)))

    async def is_well(self) -> bool:
        """Always."""
        return True

    async def close(self) -> None:
        """Nothing to let go of."""

    def _forget(self, key: str) -> None:
        body = self._entries.pop(key, None)
        if body is not None:
            self._bytes -= _size(key, body)


def _size(key: str, body: bytes) -> int:
    return len(key) + len(body) + ENTRY_OVERHEAD_BYTES
