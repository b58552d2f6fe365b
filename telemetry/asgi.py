"""The outermost ASGI layer of every HTTP process: request id, body limit, errors, access log, metrics."""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any, Final, NamedTuple

import structlog
from opentelemetry.trace import SpanKind, Tracer
from structlog.contextvars import bind_contextvars

from telemetry.metrics import HttpMetrics
from telemetry.tracing import extract_trace

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

UNMATCHED_ROUTE: Final = "unmatched"
CLIENT_GONE_STATUS: Final = 499
"""nginx's code for a client that hung up before its answer; only metrics and logs ever see it."""
ACCEPTED_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")

log = structlog.get_logger()


class BodyTooLarge(Exception):
    """The request's body is over the limit."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the body is larger than {limit_bytes} bytes; send less")
        self.limit_bytes = limit_bytes


class ClientGone(Exception):
    """The client hung up while it was still sending its request."""


class RenderedProblem(NamedTuple):
    """An error answer, ready to send."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


RenderProblem = Callable[[Exception, str], RenderedProblem]
"""Turns any exception, and the request id to quote, into the process's error body; must not raise."""


class HttpEdge:
    """Wraps an app: what it raises becomes an error answer, and every request is counted, timed and logged.

    Successful requests are logged at `success_level`, refused ones at info, failed ones at warning or error.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        process: str,
        metrics: HttpMetrics,
        tracer: Tracer,
        render_problem: RenderProblem,
        max_body_bytes: int,
        success_level: int = logging.INFO,
    ) -> None:
        self._app = app
        self._process = process
        self._metrics = metrics
        self._tracer = tracer
        self._render_problem = render_problem
        self._max_body_bytes = max_body_bytes
        self._success_level = success_level

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; other kinds of connections pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = _accept_request_id(headers.get(b"x-request-id"))
        bind_contextvars(request_id=request_id)
        answer = _Answer(send, request_id)
        self._metrics.in_progress.inc()
        try:
            with self._tracer.start_as_current_span(
                self._process, extract_trace(headers), SpanKind.SERVER
            ) as span:
                await self._answer(scope, headers, receive, answer)
                if span.is_recording():
                    span.set_attributes(_describe(scope, answer))
        finally:
            self._metrics.in_progress.dec()
            self._record(scope, answer.status, perf_counter() - started_s)

    async def _answer(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, answer: "_Answer"
    ) -> None:
        try:
            body = await _read_body(headers, receive, self._max_body_bytes)
            await self._app(scope, receive if body is None else _replay(body, receive), answer.send)
        except ClientGone:
            answer.status = CLIENT_GONE_STATUS
        except Exception as error:  # the top of every process: each failure becomes an error body
            problem = self._render_problem(error, answer.request_id)
            if problem.status == 500:
                log.exception("request failed", path=scope["path"], error=repr(error))
            if answer.started:
                # Too late for an error body: the server closes the connection, so that the client notices.
                raise
            await answer.send_problem(problem)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.observe(route, status, seconds)
        log.log(
            _log_level(status, self._success_level),
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
        )


class _Answer:
    """Sends an answer with the request id on it, and remembers what was sent."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.started = False
        self.status = 500

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            # The app may send a list that it keeps for all its answers, so a new one is made.
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())]
        await self._send(message)

    async def send_problem(self, problem: RenderedProblem) -> None:
        headers = [
            (b"content-type", problem.content_type.encode()),
            (b"content-length", str(len(problem.body)).encode()),
            *problem.headers,
        ]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": problem.body})


def _accept_request_id(offered: bytes | None) -> str:
    """The caller's id if it is harmless to log, else a new one."""
    if offered is not None and ACCEPTED_REQUEST_ID.fullmatch(offered):
        return offered.decode()
    return secrets.token_hex(8)


async def _read_body(headers: dict[bytes, bytes], receive: Receive, limit_bytes: int) -> bytes | None:
    """The whole body, or None if the request has none; raises BodyTooLarge, ClientGone."""
    declared = headers.get(b"content-length")
    if declared is None and b"transfer-encoding" not in headers:
        return None
    if declared is not None and int(declared) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


def _route(scope: Scope) -> str:
    """The path template that routing put in the scope, so that labels stay few."""
    route: str = getattr(scope.get("route"), "path", UNMATCHED_ROUTE)
    return route


def _describe(scope: Scope, answer: _Answer) -> dict[str, str | int]:
    return {
        "http.request.method": scope["method"],
        "http.route": _route(scope),
        "http.response.status_code": answer.status,
        "bookmesh.request_id": answer.request_id,
    }


def _log_level(status: int, success_level: int) -> int:
    if status < 400:
        return success_level
    return logging.WARNING if status >= 500 else logging.INFO
