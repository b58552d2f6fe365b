"""The HTTP client that all calls to servers share, over connections that are kept."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple, Self, cast
from urllib.parse import urlsplit

import httptools

from foundation.mesh_token import build_headers
from gateway.mesh.retries import RetryBudget

MAX_HEAD_BYTES: Final = 32 * 1024
"""Of status line, headers and trailers of an answer; servers of ours send some two hundred."""
MAX_BODY_BYTES: Final = 64 * 2**20
"""Ten times what the longest answer of ours takes."""
RETRY_BURST: Final = 100
"""All connections to a server that is started again are stale at once."""


class TransportError(Exception):
    """No answer came, or one that is not HTTP."""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes


class MeshClient:
    """Sends requests to servers; it sets no time limit, since callers bring their deadline.

    It is our own because a call by aiohttp takes three times as much CPU (docs/adr/0029-own-transport.md).
    What it raises is always a TransportError.
    """

    def __init__(self, *, pool_size: int, idle_connection_s: float, token: str | None = None) -> None:
        """Keeps so many connections to each server, for so long without a request."""
        self._pool_size = pool_size
        self._idle_connection_s = idle_connection_s
        self._token_header = _build_lines(build_headers(token))
        self._servers: dict[str, _Connections] = {}
        self._routes: dict[tuple[str, str], _Route] = {}

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The answer to a GET."""
        route = self._find_route("GET", url)
        return await route.server.ask(b"%b%b\r\n" % (route.head, _build_lines(headers)))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a POST, which must only read: it may be sent twice."""
        route = self._find_route("POST", url)
        lines = _build_lines(headers)
        return await route.server.ask(
            b"%b%bContent-Length: %d\r\n\r\n%b" % (route.head, lines, len(body), body)
        )

    async def close(self) -> None:
        """Close all connections."""
        for server in self._servers.values():
            await server.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _find_route(self, method: str, url: str) -> "_Route":
        route = self._routes.get((method, url))
        if route is None:
            parts = urlsplit(url)
            base = f"{parts.scheme}://{parts.netloc}"
            if base not in self._servers:
                self._servers[base] = _Connections(base, self._pool_size, self._idle_connection_s)
            head = f"{method} {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode()
            route = self._routes[method, url] = _Route(self._servers[base], head + self._token_header)
        return route


class _Route(NamedTuple):
    """What all requests to one path have in common."""

    server: "_Connections"
    head: bytes


class _Connections:
    """The connections to one server."""

    def __init__(self, url: str, most: int, idle_s: float) -> None:
        parts = urlsplit(url)
        self._is_encrypted = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._is_encrypted else 80)
        self._idle_s = idle_s
        self._places = asyncio.Semaphore(most)
        self._retries = RetryBudget(RETRY_BURST)
        self._kept: deque[_Connection] = deque()
        """Those without a request, the one used last at the end."""
        self._all: set[_Connection] = set()

    async def ask(self, request: bytes) -> Answer:
        """The answer to a request. Raises TransportError."""
        self._retries.earn()
        async with self._places:
            if (connection := self._take_kept()) is not None:
                try:
                    return await self._exchange(connection, request)
                except _NotAnswered:  # the server was just closing it
                    if not self._retries.is_left:
                        raise
                    self._retries.spend()
            return await self._exchange(await self._connect(), request)

    async def close(self) -> None:
        """Close all connections, and return when they are."""
        ending = list(self._all)
        for connection in ending:
            connection.close()
        await asyncio.gather(*(connection.ended for connection in ending))

    async def _exchange(self, connection: "_Connection", request: bytes) -> Answer:
        answer = await connection.ask(request)
        if connection.is_open:
            self._kept.append(connection)
        return answer

    def _take_kept(self) -> "_Connection | None":
        """The one that was used last; those that nobody has used for long are closed."""
        expired_s = asyncio.get_running_loop().time() - self._idle_s
        while self._kept and (self._kept[0].used_at_s < expired_s or not self._kept[0].is_open):
            self._kept.popleft().close()
        while self._kept:
            if (connection := self._kept.pop()).is_open:
                return connection
        return None

    async def _connect(self) -> "_Connection":
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection, self._host, self._port, ssl=self._is_encrypted or None
            )
        except OSError as error:
            raise TransportError(f"no connection: {error}") from error
        self._all.add(connection)
        connection.ended.add_done_callback(lambda _: self._all.discard(connection))
        return connection


class _NotAnswered(TransportError):
    """The connection ended before any of an answer had come."""


class _Connection(asyncio.Protocol):
    """One connection, with one request under way at most."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self.is_open = True
        """Whether it may be used again."""
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self.used_at_s = 0.0
        self._has_begun = False
        self._is_complete = False

    async def ask(self, request: bytes) -> Answer:
        """The answer to a request. Raises TransportError; whoever is cancelled ends the connection."""
        if self._transport.is_closing():
            raise _NotAnswered("the connection ended")
        self._start_message()
        self._answer = self._loop.create_future()
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            if not self._is_complete:
                self.close()
            self._answer = None
            self.used_at_s = self._loop.time()

    def close(self) -> None:
        """End it at once."""
        self.is_open = False
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._is_complete:
            self.close()  # nobody has asked for it: the next answer would be taken for another one
            return
        self._has_begun = True
        try:
            self._parser.feed_data(data)
            if not self._has_head:
                self._count_head(len(data))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, TransportError) as error:
            self._fail(TransportError(f"an answer that is not HTTP/1.1: {error.__context__ or error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self.ended.set_result(None)
        if self._answer is None or self._is_complete:
            return
        if self._has_head and self._ends_with_connection and exc is None:
            self.on_message_complete()
        else:
            lost = TransportError if self._has_begun else _NotAnswered
            self._fail(lost(f"the connection ended{f': {exc}' if exc else ''}"))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._is_complete:
            self.close()  # the same, with the answer before it
        self._start_head()

    def on_status(self, status: bytes) -> None:
        self._count_head(len(status))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        match name.lower():
            case b"content-length" | b"transfer-encoding":
                self._ends_with_connection = False
            case b"content-encoding":
                raise TransportError("its body is encoded, which nobody has accepted")

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        self._n_body_bytes += len(body)
        if self._n_body_bytes > MAX_BODY_BYTES:
            raise TransportError(f"its body is longer than {MAX_BODY_BYTES} bytes")
        self._parts.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._is_complete or status < 200:
            return  # of an interim answer
        self._is_complete = True
        if self._ends_with_connection or not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(status, b"".join(self._parts)))

    def _start_message(self) -> None:
        self._has_begun = self._is_complete = False
        self._parts: list[bytes] = []
        self._n_body_bytes = 0
        self._start_head()

    def _start_head(self) -> None:
        self._has_head = False
        self._ends_with_connection = True
        self._n_head_bytes = 0

    def _count_head(self, n_bytes: int) -> None:
        self._n_head_bytes += n_bytes
        if self._n_head_bytes > MAX_HEAD_BYTES:
            raise TransportError(f"its head is longer than {MAX_HEAD_BYTES} bytes")

    def _fail(self, error: TransportError) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _build_lines(headers: Mapping[str, str]) -> bytes:
    """Headers as they are sent. Raises TransportError for one that would be more than one line."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") + lines.count("\r") != 2 * len(headers):
        raise TransportError("a header of several lines")
    return lines.encode("latin-1", "replace")
