"""What every HTTP process does around its app: request id, body limit, last error, access log, metrics."""

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from contracts.shell import VERSION_HEADER
from middleware.problems import answer_problem
from telemetry.metrics import HttpMetrics
from telemetry.tracing import serving, trace_id

UNMATCHED_ROUTE: Final = "unmatched"
CLIENT_GONE_STATUS: Final = 499
"""nginx's code for a client that hung up before its answer; only metrics and logs ever see it."""
IS_GONE: Final = "is_gone"
"""In the state of a request that was broken off because its client has gone."""
RAW_VERSION_HEADER: Final = VERSION_HEADER.lower().encode()
ACCEPTED_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class LargerBody:
    """A route whose bodies may be larger than others."""

    max_bytes: int
    admit: Callable[[Scope], AbstractAsyncContextManager[None]]
    """Around the request, from before its body is read; raises for whoever may not send one."""


class RequestMiddleware:
    """Gives every request an id, reads its body up to the limit; counts, times, traces and logs its answer.

    Plain ASGI, since Starlette has nothing that fits: its BaseHTTPMiddleware costs some 200 µs of CPU a
    request, dependencies see neither an unmatched path nor the status that was sent, and its body limit
    answers in plain text, past every exception handler.
    `larger_bodies` are those of methods and paths that have their own limit.
    Successful requests are logged at `success_level`, refused ones at info, failed ones at warning.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: HttpMetrics,
        max_body_bytes: int,
        larger_bodies: Mapping[tuple[str, str], LargerBody] | None = None,
        success_level: int = logging.INFO,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._any_body = LargerBody(max_body_bytes, lambda _: nullcontext())
        self._larger_bodies = larger_bodies or {}
        self._success_level = success_level
        # Bound once: a logger of the module would be made anew for each line, also for one below its level.
        self._log = structlog.get_logger().bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; other kinds of connections pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = perf_counter()
        method = scope["method"]
        if method == "HEAD":
            # As a GET; uvicorn, which has the scope as it was, leaves the body out.
            scope = {**scope, "method": "GET"}
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = _accept_request_id(headers.get(b"x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        self._metrics.in_progress.inc()
        try:
            with serving(method, headers) as span:
                if span is None and b"traceparent" not in headers:
                    bind_contextvars(request_id=request_id)
                else:
                    bind_contextvars(request_id=request_id, trace_id=trace_id())
                await self._answer(scope, headers, receive, answer)
                if span is not None:
                    span.update_name(f"{method} {_route(scope)}")
                    span.set_attributes(_describe(scope, answer))
        finally:
            self._metrics.in_progress.dec()
            self._record(method, scope, answer, perf_counter() - started_s)

    async def _answer(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, answer: "_Answer"
    ) -> None:
        try:
            allowed = self._larger_bodies.get((scope["method"], scope["path"]), self._any_body)
            async with allowed.admit(scope):
                body = await _read_body(headers, receive, allowed.max_bytes)
                await self._app(scope, receive if body is None else _replay(body, receive), answer.send)
        except ClientDisconnect:
            answer.status = CLIENT_GONE_STATUS
        except asyncio.CancelledError:
            if IS_GONE not in scope["state"]:
                raise
            answer.status = CLIENT_GONE_STATUS
        except Exception as error:  # the top of every process: each failure becomes an error body
            response = await answer_problem(Request(scope), error)
            if answer.started:
                # Too late for an error body: the server closes the connection, so that the client notices.
                raise
            await response(scope, receive, answer.send)

    def _record(self, method: str, scope: Scope, answer: "_Answer", seconds: float) -> None:
        status = answer.status
        self._metrics.observe(_route(scope), status, seconds)
        facts = {} if answer.version is None else {"version": answer.version}
        if (code := scope["state"].get("problem")) is not None:
            self._metrics.count_problem(code)
            facts["code"] = code
        self._log.log(
            _log_level(status, self._success_level),
            "request",
            method=method,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            **facts,
        )


class _Answer:
    """Sends an answer with the request id on it, and remembers its status and its version."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.started = False
        self.status = 500
        self.version: str | None = None
        """The one that it was made from, where it tells."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = message.get("headers", ())
            for name, value in headers:
                if name == RAW_VERSION_HEADER:
                    self.version = value.decode()
            # The app may send a list that it keeps for all its answers, so a new one is made.
            message["headers"] = [*headers, (b"x-request-id", self.request_id.encode())]
        await self._send(message)


def _accept_request_id(offered: bytes | None) -> str:
    """The caller's id if it is harmless to log, else a new one."""
    if offered is not None and ACCEPTED_REQUEST_ID.fullmatch(offered):
        return offered.decode()
    return secrets.token_hex(8)


async def _read_body(headers: dict[bytes, bytes], receive: Receive, limit_bytes: int) -> bytes | None:
    """The whole body, or None if the request has none; raises HTTPException, ClientDisconnect."""
    declared = headers.get(b"content-length")
    if declared is None and b"transfer-encoding" not in headers:
        return None
    parts, n_bytes, is_whole = list[bytes](), int(declared or 0), False
    while n_bytes <= limit_bytes and not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        n_bytes, is_whole = sum(map(len, parts)), not message.get("more_body")
    if n_bytes > limit_bytes:
        # The rest is not read, so that nothing can follow on this connection.
        detail = f"the body is larger than {limit_bytes} bytes; send less"
        raise HTTPException(413, detail, {"Connection": "close"})
    return b"".join(parts)


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
