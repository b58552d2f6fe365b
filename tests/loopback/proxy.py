"""A way to a server that a test can close, or fill with garbage, while the server itself is well."""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import Final

GARBAGE_BYTES: Final = 4096
RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)


class Way(Enum):
    """What becomes of connections."""

    OPEN = auto()
    CLOSED = auto()
    """None is taken, and those that there were are reset."""
    GARBAGE = auto()
    """Each is answered, but not by the server."""


class Proxy:
    """Passes TCP connections on to a port of loopback; `turn` changes what becomes of them."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self._target = target
        self._way = Way.OPEN
        self._garbage = random.Random(port)
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{port}")

    def start(self) -> None:
        self._thread.start()
        self.turn(Way.OPEN)

    def stop(self) -> None:
        self.turn(Way.CLOSED)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def turn(self, way: Way) -> None:
        """From now on; connections that were begun otherwise are reset."""
        asyncio.run_coroutine_threadsafe(self._turn(way), self._loop).result()

    async def _turn(self, way: Way) -> None:
        self._way = way
        for writer in list(self._writers):
            reset(writer)
        if way is Way.CLOSED and self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0.01)  # the tasks of the connections end
        elif way is not Way.CLOSED and self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._noting(writer), suppress(OSError):
            if self._way is Way.GARBAGE:
                await self._answer_garbage(reader, writer)
            else:
                await self._pass_on(reader, writer)

    async def _answer_garbage(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Some servers speak first.
        writer.write(self._garbage.randbytes(GARBAGE_BYTES))
        while await reader.read(65_536):
            writer.write(self._garbage.randbytes(GARBAGE_BYTES))
            await writer.drain()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        with self._noting(there_writer):
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    @contextmanager
    def _noting(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a process does that is killed."""
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    writer.transport.abort()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that comes, until the other side ends it; then that is passed on, too."""
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()
