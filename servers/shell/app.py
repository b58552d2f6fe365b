"""The Starlette app of every model server: its own routes and the operational ones, over a version holder."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, Generic, TypeVar

import psutil
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts import shell
from middleware.background import Background
from middleware.mesh_token import MeshToken
from middleware.problems import HANDLERS
from middleware.requests import RequestMiddleware
from servers.errors import NotLoaded
from servers.shell.answers import ModelAnswers, respond
from servers.shell.holder import VersionHolder
from servers.shell.siblings import LOOK_NOW
from servers.shell.versions import describe_version
from telemetry.workers import render

M = TypeVar("M")

OPEN_PATHS: Final = (shell.LIVE_PATH, shell.READY_PATH, shell.METRICS_PATH)
"""What probes and Prometheus ask, without a token."""


def create_app(holder: VersionHolder[M], mesh_token: str | None = None) -> Starlette:
    """The complete app of one model server; while it runs, its holder follows the pointer."""
    answers = ModelAnswers(holder)
    operation = Operation(holder)
    routes = [
        *(Route(each.path, partial(answers.answer, each), methods=["POST"]) for each in holder.server.routes),
        Route(shell.LIVE_PATH, operation.show_live),
        Route(shell.READY_PATH, operation.show_ready),
        Route(shell.INFO_PATH, operation.show_info),
        Route(shell.MODEL_PATH, operation.show_model, methods=["POST"]),
        Route(shell.VERSIONS_PATH, operation.show_versions, methods=["POST"]),
        Route(shell.METRICS_PATH, operation.show_metrics),
        Route(shell.RELOAD_PATH, operation.reload, methods=["POST"]),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if holder.siblings:
            await _join_siblings(holder)
        background = Background(holder.server.name, holder.metrics.registry)
        background.repeat("follow pointer", holder.follow, every_s=holder.options.pointer_poll_s)
        yield
        await background.stop()
        await asyncio.to_thread(holder.stop)
        answers.close()

    around = [
        Middleware(
            RequestMiddleware,
            metrics=holder.metrics.http,
            max_body_bytes=holder.options.max_body_bytes,
            success_level=logging.DEBUG,
        )
    ]
    if mesh_token is not None:
        around.append(Middleware(MeshToken, token=mesh_token, open_paths=OPEN_PATHS))
    app = Starlette(routes=routes, middleware=around, exception_handlers=dict(HANDLERS), lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.middleware_stack = _ModelRoutes(app.router.middleware_stack, answers)
    return app


class _ModelRoutes:
    """Innermost of all layers: finds the routes of the model, which most requests are for, by their paths."""

    def __init__(self, app: ASGIApp, answers: ModelAnswers[Any]) -> None:
        self._app = app
        self._answers = answers
        self._routes = {route.path: route for route in answers.routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        route = self._routes.get(scope["path"]) if scope.get("method") == "POST" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        response = await self._answers.answer(route, Request(scope, receive))
        await response(scope, receive, send)


async def _join_siblings(holder: VersionHolder[Any]) -> None:
    """Load what they hold before the first request: a worker that lacks it would speak for all of them."""
    looks = set[asyncio.Task[None]]()

    def look() -> None:
        looks.add(task := asyncio.create_task(holder.follow(retry=True)))
        task.add_done_callback(looks.discard)

    asyncio.get_running_loop().add_signal_handler(LOOK_NOW, look)
    await holder.follow()


class Operation(Generic[M]):
    """What probes, operators and the gateway ask of every server: is it well, and what does it hold."""

    def __init__(self, holder: VersionHolder[M]) -> None:
        self._holder = holder
        self._started_s = time.monotonic()

    async def show_live(self, request: Request) -> Response:
        """200 as long as the process answers."""
        current = self._holder.current
        return respond(shell.Ready(ready=current is not None, version=current.version if current else None))

    async def show_ready(self, request: Request) -> Response:
        """The same once a version is loaded. Raises NotLoaded."""
        if self._holder.current is None:
            raise NotLoaded
        return await self.show_live(request)

    async def show_info(self, request: Request) -> Response:
        """Versions, shapes, limits and memory; a gateway that asks names the version that it needs here."""
        if (pinned := request.headers.get(shell.PIN_HEADER)) is not None:
            self._holder.keep(pinned)
        current, agreed = self._holder.current, self._holder.agreed()
        info = shell.Info(
            server=self._holder.server.name,
            pid=os.getpid(),
            version=agreed.current,
            held=agreed.held,
            rss_bytes=psutil.Process().memory_info().rss,
            uptime_s=round(time.monotonic() - self._started_s, 3),
            shapes=current.shapes if current else {},
            limits={
                "max_body_bytes": self._holder.options.max_body_bytes,
                "max_books": shell.MAX_BOOKS,
                "max_concurrent_requests": self._holder.options.concurrency,
            },
            last_reload_error=agreed.error,
        )
        return respond(info)

    async def show_model(self, request: Request) -> Response:
        """What is known of the version that the request names, or of the current one."""
        with self._holder.use(request.headers.get(shell.VERSION_HEADER) or None) as held:
            return respond(describe_version(held.manifest), version=held.version)

    async def show_versions(self, request: Request) -> Response:
        """What the store holds, also what no server does."""
        with self._holder.use(request.headers.get(shell.VERSION_HEADER) or None) as held:
            current, manifests = await asyncio.to_thread(self._holder.read_store)
            versions = [describe_version(manifest) for manifest in manifests]
            answer = shell.VersionsResponse(version=held.version, current=current, versions=versions)
            return respond(answer, version=held.version)

    async def show_metrics(self, request: Request) -> Response:
        """Prometheus' text format."""
        return Response(render(self._holder.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def reload(self, request: Request) -> Response:
        """Look at the pointer now; the answer comes when the version that it names is current."""
        await asyncio.to_thread(self._holder.refresh_everywhere)
        return await self.show_info(request)
