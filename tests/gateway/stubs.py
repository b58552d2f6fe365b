"""Servers that misbehave as no real one can be made to, byte by byte over TCP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]
"""What to do with one connection, given how many there were before it."""


@asynccontextmanager
async def misbehaving(behave: Behave) -> AsyncIterator[str]:
    """Base URL of a server whose every connection is left to `behave`."""
    connections: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        try:
            await behave(reader, writer, len(connections) - 1)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for each in filter(None, connections):
            each.cancel()
        await asyncio.gather(*filter(None, connections), return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One whole request with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


def build_response(body: bytes, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """A response that keeps the connection open."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
