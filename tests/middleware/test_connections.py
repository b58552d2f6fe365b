"""The bounds of one connection, byte by byte, against a small app in this process."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from contracts.errors import Problem
from middleware import connections
from middleware.connections import (
    MAX_OVERHEAD_BYTES,
    MAX_URL_BYTES,
    MAX_WAITING,
    TICK_S,
    bound_connections,
)
from middleware.settings import ConnectionLimits

PATIENCE_S = 20
GET = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
LARGE = 20_000_000
KEEP_ALIVE_S = 1


class Echo:
    """Answers the path and the body; /0 only once it is told to, /large with 20 MB."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.n_gone = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].encode()
        if path == b"/0":
            await asyncio.to_thread(self.may_answer.wait, PATIENCE_S)
        try:
            body = b"x" * LARGE if path == b"/large" else path + b" " + await Request(scope, receive).body()
        except ClientDisconnect:
            self.n_gone += 1
            return
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(app: Echo, limits: ConnectionLimits) -> Iterator[uvicorn.Server]:
    config = uvicorn.Config(
        app,
        port=0,
        http=bound_connections(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield server
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def app() -> Echo:
    return Echo()


@pytest.fixture
def server(app: Echo) -> Iterator[uvicorn.Server]:
    with serving(app, ConnectionLimits(total=5, per_address=3)) as server:
        yield server


@pytest.fixture
def client(server: uvicorn.Server) -> Iterator[socket.socket]:
    with connect(server) as client:
        yield client


def connect(server: uvicorn.Server) -> socket.socket:
    return socket.create_connection(server.servers[0].sockets[0].getsockname(), timeout=PATIENCE_S)


def read_until_closed(client: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65_536):
            received += piece
    return received


def ask(client: socket.socket, *pieces: bytes) -> bytes:
    """All that the server answers to this until it closes."""
    for piece in pieces:
        client.sendall(piece)
    return read_until_closed(client)


def check_refused(received: bytes, status: int, code: str) -> None:
    head, _, body = received.partition(b"\r\n\r\n")
    problem = Problem.model_validate_json(body)
    assert head.startswith(b"HTTP/1.1 %d " % status), received[:500]
    assert (problem.status, problem.code) == (status, code)
    assert f"x-request-id: {problem.request_id}" in head.decode()
    assert b"\r\nconnection: close" in head


def head(*, url_bytes: int = 1, header_bytes: int = 0) -> bytes:
    """A request whose URL and one header (name and value) have these sizes."""
    return b"GET /%s HTTP/1.1\r\nX:%s\r\n\r\n" % (b"u" * (url_bytes - 1), b"v" * (header_bytes - 1))


@pytest.mark.parametrize("is_split", [False, True])
def test_heads_up_to_the_limit_are_answered_and_longer_ones_refused(
    client: socket.socket, server: uvicorn.Server, is_split: bool
) -> None:
    def send(request: bytes) -> bytes:
        with connect(server) as other:
            for piece in (request[:10_000], request[10_000:]) if is_split else (request,):
                other.sendall(piece)
                time.sleep(0.05)
            other.shutdown(socket.SHUT_WR)
            return read_until_closed(other)

    assert send(head(header_bytes=MAX_OVERHEAD_BYTES - 1)).startswith(b"HTTP/1.1 200")
    assert send(head(url_bytes=MAX_URL_BYTES)).startswith(b"HTTP/1.1 200")
    check_refused(send(head(header_bytes=MAX_OVERHEAD_BYTES)), 431, "headers_too_large")
    check_refused(send(head(url_bytes=MAX_URL_BYTES + 1)), 414, "uri_too_long")


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"BREW /coffee HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    ],
)
def test_what_is_not_http_gets_a_problem(client: socket.socket, junk: bytes) -> None:
    check_refused(ask(client, junk), 400, "malformed_request")


def test_a_body_of_tiny_chunks_is_refused_and_one_of_some_is_not(server: uvicorn.Server) -> None:
    some, tiny = b"64\r\n" + b"x" * 100 + b"\r\n", b"1\r\nx\r\n"
    with connect(server) as patient, connect(server) as hostile:
        patient.sendall(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + some * 1000)

        assert b"x" * 100_000 in ask(patient, b"0\r\n\r\n")
        check_refused(
            ask(hostile, POST + b"Transfer-Encoding: chunked\r\n\r\n", tiny * 10_000),
            431,
            "headers_too_large",
        )


def test_an_app_that_waits_for_a_refused_body_is_told_that_nobody_is_there(
    client: socket.socket, app: Echo
) -> None:
    ask(client, POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", b"nonsense")

    wait_until(lambda: app.n_gone == 1)


def test_answers_to_pipelined_requests_come_in_order(client: socket.socket, app: Echo) -> None:
    client.sendall(b"".join(GET % n for n in range(MAX_WAITING)))
    app.may_answer.set()

    answers = ask(client, b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert [answers.find(b"/%d " % n) for n in range(16)] == sorted(
        answers.find(b"/%d " % n) for n in range(16)
    )
    assert answers.endswith(b"/last ")


@pytest.mark.parametrize("then", [b"nonsense\r\n\r\n", b"".join(GET % n for n in range(1, 2000))])
def test_what_is_refused_behind_an_unanswered_request_is_never_taken_for_its_answer(
    client: socket.socket, app: Echo, then: bytes
) -> None:
    client.sendall(GET % 0 + then)
    time.sleep(0.1)
    app.may_answer.set()

    answers = read_until_closed(client)

    assert answers.count(b"HTTP/1.1 ") == answers.count(b"HTTP/1.1 200 OK") <= 2
    assert b"/0 " in answers


def test_an_upgrade_is_not_taken_and_the_answer_is_the_last(client: socket.socket) -> None:
    upgrade = b"GET /1 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

    assert ask(client, upgrade + GET % 2).count(b"HTTP/1.1 200 OK") == 1


def test_each_address_has_its_share_of_all_connections(server: uvicorn.Server) -> None:
    with contextlib.ExitStack() as stack:
        three = [stack.enter_context(connect(server)) for _ in range(3)]
        for client in three:
            client.sendall(GET % 1)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        with connect(server) as fourth:
            refused = ask(fourth)
        check_refused(refused, 503, "overloaded")
        assert b"retry-after: 1" in refused
        three[0].close()
        time.sleep(0.1)
        with connect(server) as another:
            another.sendall(GET % 1)
            assert another.recv(65_536).startswith(b"HTTP/1.1 200")


def test_there_is_an_end_to_connections_in_all(app: Echo) -> None:
    with (
        serving(app, ConnectionLimits(total=1, per_address=3)) as server,
        connect(server) as first,
        connect(server) as second,
    ):
        first.sendall(GET % 1)
        assert first.recv(65_536).startswith(b"HTTP/1.1 200")
        check_refused(read_until_closed(second), 503, "overloaded")


@pytest.mark.parametrize("request_", [b"GET /large HTTP/1.1\r\n\r\n", b"GET /large HTTP/1.0\r\n\r\n"])
def test_who_never_reads_the_answer_is_cut_off(
    client: socket.socket, server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch, request_: bytes
) -> None:
    monkeypatch.setattr(connections, "SEND_S", 1.0)

    client.sendall(request_)
    client.recv(1)

    wait_until(lambda: not server.server_state.connections)
    assert len(read_until_closed(client)) < LARGE


def test_blank_lines_do_not_keep_a_connection_open(client: socket.socket, server: uvicorn.Server) -> None:
    client.sendall(GET % 1)
    client.recv(65_536)

    client.sendall(b"\r\n")

    wait_until(lambda: not server.server_state.connections)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_a_connection_on_which_nothing_came_yet_is_left_alone(
    client: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    time.sleep(1.5 * TICK_S)

    client.sendall(GET % 1)

    assert client.recv(1000).startswith(b"HTTP/1.1 200")
    assert caplog.records == []
