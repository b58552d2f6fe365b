"""What one connection may ask of an HTTP process: bounded heads, bounded waits, so many connections at once.

uvicorn bounds none of them. The gateway and the model servers both run on the class made here.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Collection
from enum import Enum, auto
from itertools import chain
from typing import Any, ClassVar, Final

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from contracts.errors import PROBLEM_MEDIA_TYPE, RETRY_AFTER_S, ClientCode, build_problem
from contracts.shell import REQUEST_ID_HEADER
from middleware.requests import IS_GONE
from middleware.settings import ConnectionLimits

MAX_OVERHEAD_BYTES: Final = 32 * 1024
"""Of all in a request that is not its body: request line, headers, trailers, what frames the chunks."""
MAX_URL_BYTES: Final = 8 * 1024
MAX_WAITING: Final = 16
"""Requests that a client may send before it has the answer to the first."""
MAX_UNREAD_BYTES: Final = 4 * 1024 * 1024
"""Thrown away after a refusal, so that a client that still sends gets to read it; then it is cut off."""
PIECE_BYTES: Final = 16 * 1024
"""Given to the parser at once: it cannot be stopped in between."""
RECEIVE_S: Final = 10.0
"""For a request to arrive whole, from its first byte on; for the first byte, from connecting on."""
SEND_S: Final = 60.0
"""For a client to read its answer; the scripts of the API page are 1.5 MB."""
UNIX_CLIENT: Final = "socket"
"""The address of all that come by a Unix socket, as a proxy of the same machine does."""
TICK_S: Final = 1.0
"""Between two looks at the clock: every wait may take so much longer."""

log = structlog.get_logger()


def bound_connections(
    limits: ConnectionLimits, *, linger_s: float = 0, only_read: Collection[str] = ("GET", "HEAD")
) -> type[HttpToolsProtocol]:
    """The protocol of one process: `http` of its uvicorn.Config.

    A process that stops leaves idle connections open for `linger_s` seconds: a request may be on its way.
    Methods that `only_read` are broken off when the client has gone.
    """
    attributes = {"limits": limits, "per_address": Counter(), "linger_s": linger_s, "only_read": only_read}
    return type("BoundedProtocol", (_BoundedProtocol,), attributes)


class _Phase(Enum):
    IDLE = auto()
    HEAD = auto()
    BODY = auto()


class _Refused(Exception):
    """Raised through the parser, to stop it."""

    def __init__(self, code: ClientCode, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class _HalfClosing(asyncio.Transport):
    """To a client that still sends: an answer that makes uvicorn close would be lost with the connection."""

    def __init__(self, transport: asyncio.Transport, hang_up: Callable[[], None]) -> None:
        super().__init__()
        self.write = transport.write  # type: ignore[method-assign]
        self.is_closing = transport.is_closing  # type: ignore[method-assign]
        self.close = hang_up  # type: ignore[method-assign]


class _BoundedProtocol(HttpToolsProtocol):
    limits: ClassVar[ConnectionLimits]
    per_address: ClassVar[Counter[str]]
    linger_s: ClassVar[float]
    only_read: ClassVar[Collection[str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self._phase = _Phase.IDLE
        self._n_overhead_bytes = 0
        self._is_deaf = False
        """Whether what still arrives is thrown away."""
        self._is_stopping = False
        self._drop_work: Callable[[], object] = lambda: None
        self._since_s = self._sent_at_s = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.client = self.client or (UNIX_CLIENT, 0)
        self._address = self.client[0]
        self.per_address[self._address] += 1
        self._tick = self.loop.call_later(TICK_S, self._check_clock)
        if len(self.connections) > self.limits.total:
            self._turn_away(f"{self.limits.total} clients are connected already; try again")
        elif self.per_address[self._address] > self.limits.per_address:
            self._turn_away(
                f"{self.limits.per_address} connections from {self._address} are open already; close some"
            )

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._drop_work()
        self._tick.cancel()
        self.per_address[self._address] -= 1
        if not self.per_address[self._address]:
            del self.per_address[self._address]

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            self._n_overhead_bytes += len(piece)
            if self._is_deaf:
                break
            self._parse(piece)
        if self._is_deaf and self._n_overhead_bytes > MAX_UNREAD_BYTES:
            self.transport.abort()

    def _parse(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
            self._check_sizes(self._n_overhead_bytes)
        except _Refused as refused:
            self._refuse(refused.code, refused.detail)
        except httptools.HttpParserUpgrade:
            self._stop_listening()  # there is nothing to upgrade to: this answer is the last
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _Refused):
                self._refuse(error.__context__.code, error.__context__.detail)
            else:
                self._refuse(ClientCode.MALFORMED_REQUEST, f"what was sent is not HTTP/1.1: {error}")
        if len(self.pipeline) > MAX_WAITING:
            self._stop_listening()
        if self._phase is _Phase.BODY:
            self.cycle.transport = _HalfClosing(self.transport, self._hang_up)

    def _check_sizes(self, n_overhead_bytes: int) -> None:
        if len(self.url) > MAX_URL_BYTES:
            raise _Refused(ClientCode.URI_TOO_LONG, f"the URL is longer than {MAX_URL_BYTES} bytes")
        if n_overhead_bytes > MAX_OVERHEAD_BYTES:
            detail = f"headers, trailers and the framing of chunks are larger than {MAX_OVERHEAD_BYTES} bytes"
            raise _Refused(ClientCode.HEADERS_TOO_LARGE, detail)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

        def drop() -> None:
            if cycle.scope["method"] in self.only_read and not cycle.response_complete:
                cycle.scope["state"][IS_GONE] = True
                task.cancel()

        self._drop_work = drop

    # What the parser calls.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = _Phase.HEAD
        self._since_s = self.loop.time()
        self._n_overhead_bytes = 0

    def on_headers_complete(self) -> None:
        # Pieces are counted after they are parsed, so a head that ends in one is measured here.
        self._check_sizes(len(self.url) + sum(map(len, chain.from_iterable(self.headers))))
        super().on_headers_complete()
        self._phase = _Phase.BODY
        if self._is_stopping:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._n_overhead_bytes -= len(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._phase = _Phase.IDLE

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._since_s = self.loop.time()

    # What ends a connection.

    def shutdown(self) -> None:
        if self._is_idle():
            self._is_stopping = True
            self.loop.call_later(self.linger_s, self._close_if_idle)
        else:
            super().shutdown()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _refuse(self, code: ClientCode, detail: str) -> None:
        """Answer what is being received, if it is its turn, and read no more."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if is_answering and (self._phase is not _Phase.BODY or self.pipeline or self.cycle.response_started):
            self._stop_listening()  # an answer now would be taken for that to an earlier request
            return
        if is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._write_problem(code, detail)
        self._hang_up()

    def _stop_listening(self) -> None:
        """Answer what has arrived, and close after it."""
        self._is_deaf = True
        for cycle in (self.cycle, *(waiting for waiting, _ in self.pipeline)):
            cycle.keep_alive = False

    def _hang_up(self) -> None:
        """Close our side, and leave the client a while to read and to close its own."""
        self._is_deaf = True
        self.flow.resume_reading()
        self._since_s = self.loop.time()
        self.transport.write_eof()

    def _turn_away(self, detail: str) -> None:
        self._is_deaf = True
        self._write_problem(ClientCode.OVERLOADED, detail)
        self.transport.close()

    def _write_problem(self, code: ClientCode, detail: str) -> None:
        problem = build_problem(code, detail, secrets.token_hex(8))
        body = problem.model_dump_json(exclude_none=True).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            (REQUEST_ID_HEADER.lower().encode(), problem.request_id.encode()),
        ]
        if code is ClientCode.OVERLOADED:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        lines = [b"%s: %s\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body]))
        log.info(
            "connection refused",
            client=self._address,
            status=problem.status,
            detail=detail,
            request_id=problem.request_id,
        )

    def _check_clock(self) -> None:
        """Close what has made us wait for too long."""
        now_s = self.loop.time()
        self._tick = self.loop.call_later(TICK_S, self._check_clock)
        if not self.transport.get_write_buffer_size():
            self._sent_at_s = now_s
        waited_s = now_s - self._since_s
        is_receiving = self._phase is not _Phase.IDLE
        if now_s - self._sent_at_s > SEND_S or (self._is_deaf and waited_s > RECEIVE_S):
            self.transport.abort()
        elif is_receiving and waited_s > RECEIVE_S:
            detail = f"the request had not arrived after {RECEIVE_S:.0f} s"
            self._refuse(ClientCode.REQUEST_TIMEOUT, detail)
        elif self.cycle is None:
            if waited_s > RECEIVE_S:
                self.transport.close()
        elif (
            not is_receiving and self.cycle.response_complete and waited_s > self.timeout_keep_alive + TICK_S
        ):
            self.transport.close()  # uvicorn's own timer stops at any byte, also at one that begins nothing
