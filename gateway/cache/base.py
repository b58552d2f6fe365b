"""The one interface of the response caches."""

from typing import Protocol


class ResponseCache(Protocol):
    """Keeps finished responses; a key names everything that a response depends on, so none is ever stale.

    Without its cache the gateway is slower, never wrong: no method raises.
    """

    name: str
    """`memory` or `redis`."""

    async def get(self, key: str) -> bytes | None:
        """The response kept under a key."""
        ...

    async def set(self, key: str, body: bytes) -> None:
        """Keep a response."""
        ...

    async def is_healthy(self) -> bool:
        """Whether look-ups reach where responses are kept."""
        ...

    async def close(self) -> None:
        """Close the connections that it holds, if any."""
        ...
