"""The HTTP client that all calls to servers share: httpx's interface over aiohttp's cheaper transport."""

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from contracts.shell import SERVER_NAMES
from foundation.mesh_token import build_headers


def build_client(*, pool_size: int, idle_connection_s: float, token: str | None = None) -> httpx.AsyncClient:
    """A client with a pool for each server; it sets no time limit, since callers bring their deadline."""
    return httpx.AsyncClient(
        transport=_MeshTransport(pool_size=pool_size, idle_connection_s=idle_connection_s),
        headers=build_headers(token),
        timeout=None,  # noqa: S113  (every call runs under its request's deadline)
        trust_env=False,
        follow_redirects=False,
    )


class _MeshTransport(httpx.AsyncBaseTransport):
    """aiohttp's transport, with its gaps closed: stale connections and errors that it lets through."""

    def __init__(self, *, pool_size: int, idle_connection_s: float) -> None:
        self._pool_size = pool_size
        self._idle_connection_s = idle_connection_s
        self._inner = AiohttpTransport(client=self._build_session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            try:
                return await self._inner.handle_async_request(request)
            except httpx.TransportError as error:
                if not _was_stale(error):
                    raise
                # aiohttp retries a GET on a fresh connection by itself, but not a POST; ours only ever read.
                return await self._inner.handle_async_request(request)
        except aiohttp.ClientError as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _build_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._pool_size * len(SERVER_NAMES),
            limit_per_host=self._pool_size,
            keepalive_timeout=self._idle_connection_s,
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _was_stale(error: httpx.TransportError) -> bool:
    """Whether a connection broke after it was made; httpx-aiohttp reports that as a ConnectTimeout."""
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ServerTimeoutError):
        return False
    return isinstance(cause, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
