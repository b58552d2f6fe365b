"""Calling one server: what comes back when it answers badly, late, or not at all."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.contextvars import bound_contextvars

from contracts import embedder
from contracts.errors import ClientCode, ErrorCode, MeshCode, build_problem
from contracts.shell import DEADLINE_HEADER, REQUEST_ID_HEADER, VERSION_HEADER
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
from gateway.mesh.server import Server
from gateway.mesh.transport import MeshClient
from gateway.metrics import GatewayMetrics
from telemetry.tracing import serving
from tests.gateway.stubs import Behave, build_response, misbehaving, read_request
from tests.services import free_port

VERSION = "v1"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ANSWER = embedder.EmbedResponse(version=VERSION, vector=[1.0], known=["Space"], unknown=[])
OK = build_response(ANSWER.model_dump_json().encode())


@pytest.fixture
async def client() -> AsyncIterator[MeshClient]:
    async with MeshClient(pool_size=4, idle_connection_s=30.0) as client:
        yield client


def _server(url: str, client: MeshClient, failures: int = 100) -> Server:
    breaker = CircuitBreaker(failures=failures, open_s=60.0)
    metrics = GatewayMetrics(CollectorRegistry())
    return Server("embedder", url, client=client, breaker=breaker, metrics=metrics)


async def _call(server: Server, seconds: float = 5.0) -> embedder.EmbedResponse:
    return await server.call(
        embedder.EMBED_PATH,
        embedder.EmbedRequest(subjects=["Space"]),
        embedder.EmbedResponse,
        version=VERSION,
        deadline=Deadline.after(seconds),
    )


def _always(response: bytes) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        while True:
            await read_request(reader)
            writer.write(response)

    return behave


def _read_headers(request: bytes) -> httpx.Headers:
    lines = request.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return httpx.Headers(dict(line.split(b": ", 1) for line in lines))


def _problem(code: ErrorCode, status: str, **facts: list[str]) -> bytes:
    problem = build_problem(code, "because", "r1", held=facts.get("held"))
    return build_response(problem.model_dump_json().encode(), status, "application/problem+json")


async def test_the_version_and_the_time_left_go_with_the_request(client: MeshClient) -> None:
    requests: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        requests.append(await read_request(reader))
        writer.write(OK)

    async with misbehaving(record) as url:
        answer = await _call(_server(url, client), seconds=2.0)

    headers = _read_headers(requests[0])
    assert answer == ANSWER
    assert headers[VERSION_HEADER] == VERSION
    assert 1500 < int(headers[DEADLINE_HEADER]) <= 2000
    assert REQUEST_ID_HEADER not in headers
    assert "traceparent" not in headers


async def test_the_request_id_and_the_trace_of_the_callers_request_go_with_it(
    client: MeshClient,
) -> None:
    requests: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        requests.append(await read_request(reader))
        writer.write(OK)

    async with misbehaving(record) as url:
        with bound_contextvars(request_id="abc"), serving("GET", {b"traceparent": TRACEPARENT.encode()}):
            await _call(_server(url, client))

    headers = _read_headers(requests[0])
    assert headers[REQUEST_ID_HEADER] == "abc"
    assert headers["traceparent"] == TRACEPARENT


async def test_a_late_answer_is_dropped_at_the_deadline(client: MeshClient) -> None:
    async def dawdle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await reader.read()

    async with misbehaving(dawdle) as url:
        started_s = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            await _call(_server(url, client), seconds=0.1)

    assert time.monotonic() - started_s < 5.0


async def test_an_answer_that_trickles_is_dropped_at_the_deadline_too(client: MeshClient) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        for byte in OK:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    async with misbehaving(trickle) as url:
        with pytest.raises(UpstreamTimeout):
            await _call(_server(url, client), seconds=0.2)


async def test_nobody_listening_is_unreachable(client: MeshClient) -> None:
    with pytest.raises(UpstreamUnreachable) as caught:
        await _call(_server(f"http://127.0.0.1:{free_port()}", client))

    assert caught.value.__cause__ is not None
    assert caught.value.server == "embedder"


async def test_a_kept_connection_that_proves_stale_is_replaced(client: MeshClient) -> None:
    async def answer_once_then_hang_up(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int
    ) -> None:
        await read_request(reader)
        writer.write(OK)
        # The second request on this connection reaches a server that is just closing it.
        await read_request(reader)
        writer.transport.abort()

    async with misbehaving(answer_once_then_hang_up) as url:
        server = _server(url, client)
        answers = [await _call(server) for _ in range(4)]

    assert answers == [ANSWER] * 4


async def test_connections_that_prove_stale_together_are_replaced_too(client: MeshClient) -> None:
    is_closing = asyncio.Event()

    async def answer_once_then_hang_up(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n_before: int
    ) -> None:
        await read_request(reader)
        writer.write(OK)
        while n_before >= 4:
            await read_request(reader)
            writer.write(OK)
        await is_closing.wait()

    async with misbehaving(answer_once_then_hang_up) as url:
        server = _server(url, client)
        before = await asyncio.gather(*(_call(server) for _ in range(4)))
        is_closing.set()
        after = await asyncio.gather(*(_call(server) for _ in range(4)))

    assert before + after == [ANSWER] * 8


async def test_a_long_answer_in_pieces_comes_whole(client: MeshClient) -> None:
    known = [f"Subject {n}" for n in range(100_000)]
    body = ANSWER.model_copy(update={"known": known}).model_dump_json().encode()

    async def answer_in_pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 65_536):
            piece = body[start : start + 65_536]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async with misbehaving(answer_in_pieces) as url:
        answer = await _call(_server(url, client), seconds=30.0)

    assert answer.known == known


async def test_an_answer_that_comes_too_late_is_not_taken_for_that_to_the_next_call(
    client: MeshClient,
) -> None:
    late = build_response(ANSWER.model_copy(update={"known": ["late"]}).model_dump_json().encode())

    async def answer_late_at_first(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n_before: int
    ) -> None:
        await read_request(reader)
        if not n_before:
            await asyncio.sleep(0.3)
        writer.write(OK if n_before else late)
        await reader.read()

    async with misbehaving(answer_late_at_first) as url:
        server = _server(url, client)
        with pytest.raises(UpstreamTimeout):
            await _call(server, seconds=0.1)
        await asyncio.sleep(0.4)
        answer = await _call(server)

    assert answer == ANSWER


@pytest.mark.parametrize("n_bytes", [0, 10, len(OK) - 5])
async def test_a_connection_reset_at_any_point_is_an_upstream_error(client: MeshClient, n_bytes: int) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        writer.write(OK[:n_bytes])
        await asyncio.sleep(0.01)
        writer.transport.abort()

    async with misbehaving(reset) as url:
        with pytest.raises(UpstreamError):
            await _call(_server(url, client))


@pytest.mark.parametrize(
    "response",
    [
        b"this is not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        build_response(b"not json"),
        build_response(b'{"version": "v1"}'),
        build_response(b"<html>", "502 Bad Gateway", "text/html"),
        _problem(MeshCode.NOT_LOADED, "503 Service Unavailable"),
        _problem(ClientCode.INTERNAL, "500 Internal Server Error"),
        _problem(ClientCode.INVALID_REQUEST, "422 Unprocessable Content"),
    ],
)
async def test_an_answer_outside_the_contract_is_an_upstream_error(
    client: MeshClient, response: bytes
) -> None:
    async with misbehaving(_always(response)) as url:
        with pytest.raises(UpstreamError):
            await _call(_server(url, client))


async def test_a_request_without_an_answer_is_refused_and_no_failure(client: MeshClient) -> None:
    response = _problem(ClientCode.UNKNOWN_SUBJECTS, "422 Unprocessable Content")
    async with misbehaving(_always(response)) as url:
        server = _server(url, client, failures=1)
        with pytest.raises(UpstreamRefused) as caught:
            await _call(server)

    assert caught.value.reason == ClientCode.UNKNOWN_SUBJECTS
    assert server.breaker.state == "closed"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ClientCode.NOT_FOUND, "404 Not Found"),
        (ClientCode.INVALID_REQUEST, "422 Unprocessable Content"),
    ],
)
async def test_a_server_of_the_release_before_goes_on_with_what_it_knows(
    client: MeshClient, code: ClientCode, status: str
) -> None:
    async with misbehaving(_always(_problem(code, status))) as url:
        server = _server(url, client, failures=1)
        with pytest.raises(UpstreamOutdated):
            await _call(server)

    assert server.breaker.state == "closed"


async def test_a_server_without_the_version_reports_what_it_holds(client: MeshClient) -> None:
    response = _problem(MeshCode.VERSION_NOT_HELD, "409 Conflict", held=["v2", "v3"])
    async with misbehaving(_always(response)) as url:
        server = _server(url, client)
        with pytest.raises(VersionNotHeld) as caught:
            await _call(server)

    assert caught.value.held == ("v2", "v3")
    assert server.versions.held == {"v2", "v3"}


async def test_an_answer_of_another_version_is_never_used(client: MeshClient) -> None:
    other = ANSWER.model_copy(update={"version": "v2"})
    async with misbehaving(_always(build_response(other.model_dump_json().encode()))) as url:
        with pytest.raises(VersionNotHeld):
            await _call(_server(url, client))


async def test_a_server_that_keeps_failing_is_left_alone(client: MeshClient) -> None:
    n_requests = 0

    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        nonlocal n_requests
        while True:
            await read_request(reader)
            n_requests += 1
            writer.write(build_response(b"", "500 Internal Server Error"))

    async with misbehaving(fail) as url:
        server = _server(url, client, failures=3)
        for _ in range(10):
            with pytest.raises((UpstreamBroken, UpstreamUnreachable)):
                await _call(server)

    assert n_requests == 3


async def test_a_request_without_time_left_is_not_held_against_the_server(client: MeshClient) -> None:
    server = _server("http://127.0.0.1:9", client, failures=1)

    with pytest.raises(UpstreamTimeout):
        await _call(server, seconds=0.0)

    assert server.breaker.state == "closed"


async def test_a_failed_fetch_of_what_a_server_holds_is_remembered(client: MeshClient) -> None:
    server = _server(f"http://127.0.0.1:{free_port()}", client)

    await server.refresh(None)

    assert not server.is_live
    assert server.last_error is not None
