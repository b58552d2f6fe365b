"""ASGI layers of the gateway: the limit on requests at once, and the version named on every response."""

from collections.abc import Callable
from typing import Final

from contracts.shell import VERSION_HEADER
from gateway.errors import Overloaded
from telemetry.asgi import AsgiApp, Message, Receive, Scope, Send

LIMITED_PREFIX: Final = "/v1/"
HEALTH_PREFIX: Final = "/v1/health"
"""Never turned away: it is asked most when the gateway is busiest."""
_HEADER: Final = VERSION_HEADER.lower().encode()


class ConcurrencyLimit:
    """Answers at most so many requests at once; one more raises Overloaded."""

    def __init__(self, app: AsgiApp, *, limit: int) -> None:
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

    def __init__(self, app: AsgiApp, *, name_version: Callable[[], str]) -> None:
        self._app = app
        self._name_version = name_version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with the header on the response."""

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if all(name.lower() != _HEADER for name, _ in headers):
                    message["headers"] = [*headers, (_HEADER, self._name_version().encode())]
            await send(message)

        await self._app(scope, receive, send_named if scope["type"] == "http" else send)


def _is_limited(path: str) -> bool:
    return path.startswith(LIMITED_PREFIX) and not path.startswith(HEALTH_PREFIX)
