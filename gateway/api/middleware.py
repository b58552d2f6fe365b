"""Middleware of the gateway alone: the limit on requests at once, and the version named on every response."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.shell import VERSION_HEADER
from gateway.errors import Overloaded

LIMITED_PREFIX: Final = "/v1/"
HEALTH_PREFIX: Final = "/v1/health"
"""Never refused: it is fetched most when the gateway is busiest."""


class ConcurrencyLimit:
    """Answers at most so many requests at once; one more raises Overloaded."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._n_running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request if there is room for it."""
        if scope["type"] != "http" or not _is_limited(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._n_running >= self._limit:
            raise Overloaded(self._limit)
        self._n_running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._n_running -= 1


class VersionHeader:
    """Names the pinned version on responses that do not name the one they were made from."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with the header on the response."""

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                version = scope["app"].state.services.mesh.version_name
                MutableHeaders(scope=message).setdefault(VERSION_HEADER, version)
            await send(message)

        await self._app(scope, receive, send_named if scope["type"] == "http" else send)


def _is_limited(path: str) -> bool:
    return path.startswith(LIMITED_PREFIX) and not path.startswith(HEALTH_PREFIX)
