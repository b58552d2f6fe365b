"""One model server as the gateway sees it: what it holds, whether it answers, and how to call it."""

import asyncio
import time
from http import HTTPStatus
from typing import Final, TypeVar

from msgspec import DecodeError
from pydantic import ValidationError
from structlog.contextvars import get_contextvars

from contracts import shell
from contracts.errors import ClientCode, MeshCode, Problem
from contracts.shell import ServerName
from gateway.deadline import Deadline
from gateway.mesh.breaker import CircuitBreaker
from gateway.mesh.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamOutdated,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
    VersionNotHeld,
)
from gateway.mesh.pinning import HeldVersions
from gateway.mesh.transport import Answer, MeshClient, TransportError
from gateway.metrics import GatewayMetrics
from telemetry.tracing import span, trace_headers

ResponseT = TypeVar("ResponseT", bound=shell.ReadableResponse)

LIVE_FOR_S: Final = 2.0
"""A server counts as live for this long after it last reported what it holds: a few polls."""
POLL_TIMEOUT_S: Final = 1.0
SHORTEST_CALL_S: Final = 0.01
REFUSALS: Final = frozenset(
    {ClientCode.BOOK_NOT_FOUND, MeshCode.NO_VECTOR, ClientCode.UNKNOWN_BOOKS, ClientCode.UNKNOWN_SUBJECTS}
)
"""Codes that answer the request."""
UNKNOWN_KINDS: Final = frozenset({ClientCode.NOT_FOUND, ClientCode.INVALID_REQUEST})
"""Codes for a path, a field or a value that only a later release has."""


class Server:
    """The gateway's only way to one server."""

    def __init__(
        self,
        name: ServerName,
        url: str,
        *,
        client: MeshClient,
        breaker: CircuitBreaker,
        metrics: GatewayMetrics,
    ) -> None:
        self.name: ServerName = name
        self.breaker = breaker
        self.last_error: str | None = None
        self.versions = HeldVersions(current=None, held=frozenset())
        """What it held when it last reported."""
        self._url = url
        self._client = client
        self._metrics = metrics
        self._seen_at_s = float("-inf")

    @property
    def is_live(self) -> bool:
        """Whether the server has reported lately what it holds."""
        return time.monotonic() - self._seen_at_s < LIVE_FOR_S

    async def refresh(self, pinned: str | None) -> None:
        """Fetch what it holds, and make it keep what is pinned; a failure is remembered, not raised."""
        headers = {} if pinned is None else {shell.PIN_HEADER: pinned}
        try:
            async with asyncio.timeout(POLL_TIMEOUT_S):
                answer = await self._client.get(self._url + shell.INFO_PATH, headers)
            if answer.status != HTTPStatus.OK:
                raise UpstreamBroken(self.name, f"status {answer.status}")
            info = shell.Info.model_validate_json(answer.body)
        except (TimeoutError, TransportError, ValidationError, UpstreamBroken) as error:
            self.last_error = f"{type(error).__name__}: {error}"
        else:
            self.last_error = None
            self._remember(HeldVersions(current=info.version, held=frozenset(info.held)))
        self._metrics.server_live.labels(self.name).set(self.is_live)

    async def call(
        self,
        path: str,
        request: shell.Request,
        response_type: type[ResponseT],
        *,
        version: str,
        deadline: Deadline,
    ) -> ResponseT:
        """The answer of this version within the deadline.

        Raises UpstreamError, UpstreamRefused or VersionNotHeld.
        """
        if (remaining_s := deadline.remaining_s()) < SHORTEST_CALL_S:
            # Not the server's fault, so not the breaker's matter.
            raise UpstreamTimeout(self.name, remaining_s, deadline.find_slow(self.name, remaining_s))
        if not self.breaker.allows():
            raise UpstreamUnreachable(self.name, "failed too often, left alone for a while")
        started_s = time.perf_counter()
        outcome = "cancelled"
        try:
            with span(f"POST {path}", {"peer.service": self.name, "version": version}, is_call=True):
                answer = await self._exchange(path, request, response_type, version, remaining_s)
        except TimeoutError as error:
            slow = deadline.find_slow(self.name, remaining_s)
            outcome = UpstreamTimeout.__name__ if slow == self.name else "cut_short"
            self.breaker.failed() if slow == self.name else self.breaker.abandoned()
            raise UpstreamTimeout(self.name, remaining_s, slow) from error
        except (UpstreamRefused, UpstreamOutdated, VersionNotHeld) as error:
            outcome = type(error).__name__
            self.breaker.succeeded()
            raise
        except UpstreamError as error:
            outcome = type(error).__name__
            self.breaker.failed()
            raise
        except BaseException:
            self.breaker.abandoned()
            raise
        else:
            outcome = "ok"
            self.breaker.succeeded()
            return answer
        finally:
            seconds = time.perf_counter() - started_s
            deadline.charge(self.name, seconds)
            self._metrics.upstream_seconds.labels(self.name, outcome).observe(seconds)

    async def _exchange(
        self,
        path: str,
        request: shell.Request,
        response_type: type[ResponseT],
        version: str,
        timeout_s: float,
    ) -> ResponseT:
        try:
            async with asyncio.timeout(timeout_s):
                headers = _build_headers(version, timeout_s)
                body = request.model_dump_json().encode()
                response = await self._client.post(self._url + path, body, headers)
        except TransportError as error:
            raise UpstreamUnreachable(self.name, f"{type(error).__name__}: {error}") from error
        if response.status != HTTPStatus.OK:
            raise self._read_failure(response, version)
        try:
            answer = response_type.model_validate_json(response.body)
        except (ValidationError, DecodeError) as error:
            raise UpstreamBroken(self.name, f"{path} answered with something else: {error}") from error
        if answer.version != version:
            raise VersionNotHeld(self.name, version, (answer.version,))
        if not answer.fits(request):
            raise UpstreamBroken(self.name, f"{path} answered something else than was asked")
        return answer

    def _read_failure(self, response: Answer, version: str) -> Exception:
        try:
            problem = Problem.model_validate_json(response.body)
        except ValidationError:
            return UpstreamBroken(self.name, f"status {response.status} without a problem body")
        if problem.code == MeshCode.VERSION_NOT_HELD:
            held = tuple(problem.held or ())
            self._remember(HeldVersions(current=self.versions.current, held=frozenset(held)))
            return VersionNotHeld(self.name, version, held)
        if problem.code in REFUSALS:
            return UpstreamRefused(self.name, problem.code, problem.detail)
        if problem.code in UNKNOWN_KINDS:
            return UpstreamOutdated(self.name, f"{problem.code}: {problem.detail}")
        return UpstreamBroken(self.name, f"status {response.status}, {problem.code}: {problem.detail}")

    def _remember(self, versions: HeldVersions) -> None:
        self.versions = versions
        self._seen_at_s = time.monotonic()


def _build_headers(version: str, timeout_s: float) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        shell.VERSION_HEADER: version,
        shell.DEADLINE_HEADER: str(max(1, int(timeout_s * 1000))),
    }
    if (request_id := get_contextvars().get("request_id")) is not None:
        headers[shell.REQUEST_ID_HEADER] = request_id
    return headers | trace_headers()
