"""The ASGI app of every model server: operational paths and the server's own routes, answered from a holder.

No web framework: a route is a look-up in a dict, and a body goes straight through pydantic. With 64 numbers
in and 10 books out that measured 63 µs of CPU a request, Starlette 80, FastAPI 167.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

import psutil
from opentelemetry.trace import Tracer
from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from contracts.shell import (
    DEADLINE_HEADER,
    INFO_PATH,
    LIVE_PATH,
    MAX_BOOKS,
    METRICS_PATH,
    READY_PATH,
    RELOAD_PATH,
    VERSION_HEADER,
    Info,
    Ready,
    Request,
    Response,
)
from servers.shell.errors import (
    DeadlinePassed,
    HeaderInvalid,
    MethodNotAllowed,
    NotLoaded,
    Overloaded,
    PathNotFound,
    RequestInvalid,
    build_renderer,
)
from servers.shell.holder import VersionHolder
from servers.shell.routes import ModelRoute, ModelServer
from servers.shell.settings import ServerSettings
from telemetry.asgi import AsgiApp, HttpEdge, Receive, Scope, Send
from telemetry.metrics import METRICS_CONTENT_TYPE, render_metrics

M = TypeVar("M")
Headers = dict[bytes, bytes]

MAX_INLINE_BODY_BYTES: Final = 16_384
"""A larger body names so many books that even quick answers take milliseconds: those go to a thread."""
MAX_DEADLINE_DIGITS: Final = 9
"""Eleven days in milliseconds; Python refuses to read thousands of digits."""
JSON: Final = b"application/json"
VERSION_KEY: Final = VERSION_HEADER.lower().encode()
DEADLINE_KEY: Final = DEADLINE_HEADER.lower().encode()


class Answer(NamedTuple):
    """A successful answer, ready to send."""

    body: bytes
    content_type: bytes = JSON
    version: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """One path of the app; `path` is also the label of its metrics."""

    path: str
    method: str
    answer: Callable[[Headers, bytes], Awaitable[Answer]]


def create_app(
    server: ModelServer[M], settings: ServerSettings, holder: VersionHolder[M], tracer: Tracer
) -> AsgiApp:
    """The complete app of one model server; its lifespan starts and stops the holder."""
    return HttpEdge(
        ShellApp(server, settings, holder),
        process=server.name,
        metrics=holder.metrics.http,
        tracer=tracer,
        render_problem=build_renderer(server.problems),
        max_body_bytes=settings.servers.max_body_bytes,
        success_level=logging.DEBUG,
    )


class ShellApp(Generic[M]):
    """Routes requests; failures leave it as exceptions."""

    def __init__(
        self,
        server: ModelServer[M],
        settings: ServerSettings,
        holder: VersionHolder[M],
    ) -> None:
        self._server = server
        self._settings = settings
        self._holder = holder
        self._started_s = time.monotonic()
        self._running = 0
        self._threads = ThreadPoolExecutor(
            settings.servers.worker_threads, "answers", initializer=limit_math_threads, initargs=(settings,)
        )
        endpoints = [*self._operational(), *map(self._model_endpoint, server.routes)]
        self._endpoints = {endpoint.path: endpoint for endpoint in endpoints}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._follow_lifespan(receive, send)
            return
        endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            raise PathNotFound(scope["path"])
        scope["route"] = endpoint
        if scope["method"] != endpoint.method:
            raise MethodNotAllowed(scope["method"], endpoint.path, endpoint.method)
        # HttpEdge hands the body over whole; a message without one says that the client has hung up.
        body = (await receive()).get("body", b"")
        await _send_answer(send, await endpoint.answer(dict(scope["headers"]), body))

    def _operational(self) -> list[Endpoint]:
        return [
            Endpoint(LIVE_PATH, "GET", self._answer_live),
            Endpoint(READY_PATH, "GET", self._answer_ready),
            Endpoint(INFO_PATH, "GET", self._answer_info),
            Endpoint(METRICS_PATH, "GET", self._answer_metrics),
            Endpoint(RELOAD_PATH, "POST", self._answer_reload),
        ]

    def _model_endpoint(self, route: ModelRoute[M]) -> Endpoint:
        async def answer(headers: Headers, body: bytes) -> Answer:
            return await self._answer_route(route, headers, body)

        return Endpoint(route.path, "POST", answer)

    async def _answer_route(self, route: ModelRoute[M], headers: Headers, body: bytes) -> Answer:
        deadline = _Deadline(headers.get(DEADLINE_KEY))
        request = _parse(route, body)
        if self._running >= self._settings.servers.concurrency:
            raise Overloaded(self._settings.servers.concurrency)
        pinned = headers.get(VERSION_KEY)
        self._running += 1
        try:
            # Taken once: a swap meanwhile must not mix two versions.
            with self._holder.use(pinned.decode("latin-1") if pinned else None) as held:
                work = partial(_work, route, held.model, held.version, request, deadline)
                if len(body) > MAX_INLINE_BODY_BYTES or route.is_slow(held.model, request):
                    encoded = await asyncio.get_running_loop().run_in_executor(self._threads, work)
                else:
                    encoded = work()
                return Answer(encoded, version=held.version)
        finally:
            self._running -= 1

    async def _answer_live(self, headers: Headers, body: bytes) -> Answer:
        return Answer(_encode(self._ready()))

    async def _answer_ready(self, headers: Headers, body: bytes) -> Answer:
        ready = self._ready()
        if not ready.ready:
            raise NotLoaded
        return Answer(_encode(ready))

    async def _answer_info(self, headers: Headers, body: bytes) -> Answer:
        return Answer(_encode(self._info()))

    async def _answer_metrics(self, headers: Headers, body: bytes) -> Answer:
        return Answer(render_metrics(self._holder.metrics.registry), METRICS_CONTENT_TYPE.encode())

    async def _answer_reload(self, headers: Headers, body: bytes) -> Answer:
        """Look at the pointer now; the answer comes when the version that it names is current."""
        await asyncio.to_thread(self._holder.refresh)
        return Answer(_encode(self._info()))

    def _ready(self) -> Ready:
        current = self._holder.current
        return Ready(ready=current is not None, version=current.version if current else None)

    def _info(self) -> Info:
        current = self._holder.current
        return Info(
            server=self._server.name,
            pid=os.getpid(),
            version=current.version if current else None,
            held=self._holder.held,
            rss_bytes=psutil.Process().memory_info().rss,
            uptime_s=round(time.monotonic() - self._started_s, 3),
            shapes=current.shapes if current else {},
            limits={
                "max_body_bytes": self._settings.servers.max_body_bytes,
                "max_books": MAX_BOOKS,
                "max_concurrent_requests": self._settings.servers.concurrency,
            },
            last_reload_error=self._holder.last_error,
        )

    async def _follow_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._holder.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._holder.stop)
        self._threads.shutdown()
        await send({"type": "lifespan.shutdown.complete"})


class _Deadline:
    """When the caller stops waiting, by our own clock."""

    def __init__(self, header: bytes | None) -> None:
        self.ends_at_s: float | None = None
        if header is not None:
            if not header.isdigit() or len(header) > MAX_DEADLINE_DIGITS:
                raise HeaderInvalid(DEADLINE_HEADER, header.decode("latin-1"))
            self.allowed_ms = int(header)
            self.ends_at_s = time.monotonic() + self.allowed_ms / 1000

    def check(self) -> None:
        """Raise DeadlinePassed if the answer would come too late."""
        if self.ends_at_s is not None and time.monotonic() >= self.ends_at_s:
            raise DeadlinePassed(self.allowed_ms)


def limit_math_threads(settings: ServerSettings) -> None:
    """Bound the threads that BLAS and FAISS start; OpenMP counts them anew in every thread that calls it."""
    threadpool_limits(settings.servers.math_threads)


def _parse(route: ModelRoute[Any], body: bytes) -> Request:
    try:
        return route.request.model_validate_json(body)
    except ValidationError as error:
        raise RequestInvalid(error) from error


def _work(route: ModelRoute[M], model: M, version: str, request: Request, deadline: _Deadline) -> bytes:
    deadline.check()
    return _encode(route.answer(model, version, request))


def _encode(answer: Response | Ready | Info) -> bytes:
    # model_dump_json would decode these very bytes to text first.
    return answer.__pydantic_serializer__.to_json(answer)


async def _send_answer(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", answer.content_type), (b"content-length", str(len(answer.body)).encode())]
    if answer.version is not None:
        headers.append((VERSION_KEY, answer.version.encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
