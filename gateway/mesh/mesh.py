"""All five servers: watches what they hold, pins one version, and runs each request at one version."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeVar

import structlog

from contracts.shell import ServerName
from gateway.deadline import Deadline
from gateway.mesh.errors import VersionNotHeld
from gateway.mesh.pinning import NO_VERSION, choose_version
from gateway.mesh.retries import RetryBudget
from gateway.mesh.server import Server
from gateway.mesh.view import MeshView
from gateway.metrics import GatewayMetrics
from middleware.background import Background
from telemetry.tracing import span

AnswerT = TypeVar("AnswerT")

MAX_ATTEMPTS: Final = 3
"""How often a request is tried before a server without its version counts as unavailable."""
RETRY_BURST: Final = 128
"""As many requests as a gateway answers at once, by default: a server may drop the version of all of them."""

log = structlog.get_logger()


class Mesh:
    """Pins the version that all live servers hold; see `choose_version`."""

    def __init__(
        self,
        servers: Mapping[ServerName, Server],
        *,
        poll_interval_s: float,
        metrics: GatewayMetrics,
        tell_version: Callable[[str | None], None],
    ) -> None:
        self.servers = servers
        self._poll_interval_s = poll_interval_s
        self._metrics = metrics
        self._tell_version = tell_version
        self._retries = RetryBudget(RETRY_BURST)
        self.pinned: str | None = None
        """The version that new requests are answered from; None until a server has reported what it holds."""

    @property
    def version_name(self) -> str:
        """The pinned version as responses name it."""
        return self.pinned or NO_VERSION

    async def start(self, background: Background) -> None:
        """Learn what every server holds, then keep watching; servers that are down delay nothing."""
        await self.refresh()
        for server in self.servers.values():
            background.repeat(
                f"poll {server.name}", partial(self._refresh, server), every_s=self._poll_interval_s
            )

    async def refresh(self) -> None:
        """Fetch what every server holds, and pin again."""
        await asyncio.gather(*(server.refresh(self.pinned) for server in self.servers.values()))
        self._pin()

    async def at_one_version(
        self, deadline: Deadline, build: Callable[[MeshView], Awaitable[AnswerT]]
    ) -> AnswerT:
        """What `build` makes of one view of the mesh, retried at the next if a server drops its version."""
        self._retries.earn()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            is_last = attempt == MAX_ATTEMPTS or not self._retries.is_left
            view = MeshView(self.servers, self.pinned, deadline, self._is_pinned, is_last_attempt=is_last)
            try:
                with span("pin", {"version": view.version_name}):
                    return await build(view)
            except VersionNotHeld as error:
                log.info("version_retry", server=error.server, version=error.version, held=error.held)
                self._metrics.retries.inc()
                self._retries.spend()
                if self._is_pinned(view.version):
                    await self._refresh_within(deadline.remaining_s() / 2)
        raise AssertionError("the last attempt raises no VersionNotHeld")

    async def _refresh_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.refresh()
        except TimeoutError:
            self._pin()  # from what the others reported

    async def _refresh(self, server: Server) -> None:
        await server.refresh(self.pinned)
        self._pin()

    def _is_pinned(self, version: str | None) -> bool:
        return version == self.pinned

    def _pin(self) -> None:
        live = [server.versions for server in self.servers.values() if server.is_live]
        chosen = choose_version(live, self.pinned)
        if chosen != self.pinned:
            log.info("version_pinned", version=chosen, before=self.pinned)
            self.pinned = chosen
            self._tell_version(chosen)
