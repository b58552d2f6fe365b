"""The HTTP client that all calls to servers share, over connections that are kept."""

from typing import Final, NamedTuple, Self

import aiohttp
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection

from contracts.shell import SERVER_NAMES
from foundation.mesh_token import build_headers

_UNASKED: Final = ("Accept", "Accept-Encoding", "User-Agent")
"""Headers that no server looks at."""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes


class _Connector(aiohttp.TCPConnector):
    """Leaves a kept connection alone on which something has come that nobody had asked for.

    aiohttp would take it for the answer to the next request.
    """

    async def _get(self, key: ConnectionKey, traces: list[aiohttp.tracing.Trace]) -> Connection | None:
        while (kept := await super()._get(key, traces)) is not None:
            if kept.protocol is not None and not kept.protocol.should_close:
                return kept
            kept.close()
        return None


class MeshClient:
    """Sends requests to servers; it sets no time limit, since callers bring their deadline.

    What it raises is always an aiohttp.ClientError.
    """

    def __init__(self, *, pool_size: int, idle_connection_s: float, token: str | None = None) -> None:
        """Keeps so many connections to each server, for so long without a request; an event loop must run."""
        connector = _Connector(
            limit=pool_size * len(SERVER_NAMES), limit_per_host=pool_size, keepalive_timeout=idle_connection_s
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=build_headers(token),
            skip_auto_headers=_UNASKED,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
        )

    async def get(self, url: str, headers: dict[str, str]) -> Answer:
        """The answer to a GET."""
        return await self._send("GET", url, headers, None)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """The answer to a POST, which must only read: it may be sent twice."""
        return await self._send("POST", url, headers, body)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        try:
            return await self._send_once(method, url, headers, body)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A kept connection that the server was just closing; aiohttp tries only a GET again by itself.
            return await self._send_once(method, url, headers, body)

    async def _send_once(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        sent = self._session.request(method, url, data=body, headers=headers, allow_redirects=False)
        async with sent as response:
            return Answer(response.status, await response.read())
