"""What no list can be faster than: an empty answer behind the same server, and one that takes a hop.

    python -m tests.bench.serving.floor_app PORT [URL]

Answers at once; with a URL, after it has asked that by the client that the gateway asks its servers with.
"""

import sys
from typing import Any, Final

import uvicorn

from gateway.mesh.transport import MeshClient

START: Final = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY: Final = {"type": "http.response.body", "body": b"{}"}


class Floor:
    """An ASGI app without any layer."""

    def __init__(self, url: str | None) -> None:
        self._url = url

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._url is not None:
            await self._client.post(self._url, b"{}", {"Content-Type": "application/json"})
        await send(START)
        await send(BODY)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        async with MeshClient(pool_size=64, idle_connection_s=30) as self._client:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def main(port: str, url: str | None = None) -> None:
    """Serve until a signal comes."""
    uvicorn.run(Floor(url), port=int(port), loop="uvloop", http="httptools", log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
