"""Middleware of the gateway alone: limits on requests, who sends them, and the version on every response."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.shell import VERSION_HEADER
from gateway.accounts.callers import ANYONE, Caller, check_is_reader
from gateway.api.services import Services
from gateway.deadline import Deadline
from gateway.errors import GatewayError, Overloaded
from gateway.limits.addresses import find_network

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
        if scope["type"] != "http" or not is_limited(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._n_running >= self._limit:
            raise Overloaded(self._limit)
        self._n_running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._n_running -= 1


class RateLimit:
    """Tells who sends a request, for the routes too, and counts it; the answer says how many are left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a request that is within its limit; one more raises RateLimited."""
        if scope["type"] == "http":
            services: Services = scope["app"].state.services
            scope["state"]["deadline"] = deadline = Deadline.after(services.deadline_s)
            if is_limited(scope["path"]):
                found = await _find_caller(services, scope, deadline)
                scope["state"]["caller"] = found
                # Whose token is not good is anyone, and may go on to a route that asks for none.
                caller = ANYONE if isinstance(found, GatewayError) else found
                left = await services.limits.check_caller(caller, find_network(scope))
                send = _name_limits(left, send)
        await self._app(scope, receive, send)


class LargeBodies:
    """Lets readers alone send large bodies, one each and so many at once, and says so before they do."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._senders: set[int] = set()

    @asynccontextmanager
    async def admit(self, scope: Scope) -> AsyncIterator[None]:
        """Around a request, its body included. Raises what a route for readers raises, and Overloaded."""
        services: Services = scope["app"].state.services
        caller = await _find_caller(services, scope, Deadline.after(services.deadline_s))
        if isinstance(caller, GatewayError):
            raise caller
        user_id = check_is_reader(caller).user_id
        if user_id in self._senders or len(self._senders) >= self._limit:
            raise Overloaded(len(self._senders))
        self._senders.add(user_id)
        try:
            yield
        finally:
            self._senders.discard(user_id)


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


def _name_limits(left: Mapping[str, str], send: Send) -> Send:
    """With these headers on the answer, but on one that names a limit which was passed."""
    named = [(name.lower().encode(), value.encode()) for name, value in left.items()]

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] != 429:
            message["headers"] = [*message.get("headers", ()), *named]
        await send(message)

    return send_named


async def _find_caller(services: Services, scope: Scope, deadline: Deadline) -> Caller | GatewayError:
    """Whoever sends a request, or why that cannot be told."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            try:
                return await services.callers.find(value.decode("latin-1"), deadline)
            except GatewayError as error:
                return error
    return ANYONE


def is_limited(path: str) -> bool:
    """Whether requests of a path are counted, and may be refused."""
    return path.startswith(LIMITED_PREFIX) and not path.startswith(HEALTH_PREFIX)
