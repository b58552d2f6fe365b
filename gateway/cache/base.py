"""The one interface of the response caches."""

from typing import Protocol


class ResponseCache(Protocol):
    """Keeps finished responses; a key names everything that an answer depends on, so none is ever stale.

    Losing the cache costs time, never an answer: no method raises.
    """

    name: str
    """`memory` or `redis`."""

    async def get(self, key: str) -> bytes | None:
        """The response kept under a key."""
        ...

    async def set(self, key: str, body: bytes) -> None:
        """Keep a response."""
        ...

    async def is_well(self) -> bool:
        """Whether look-ups reach where responses are kept."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
