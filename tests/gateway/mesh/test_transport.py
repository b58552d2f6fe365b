"""The client that the gateway asks its servers with, against real servers and against one that misbehaves."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
import uvicorn

from gateway.mesh.transport import MAX_BODY_BYTES, RETRY_BURST, Answer, MeshClient, TransportError
from tests.gateway.stubs import Behave, build_response, misbehaving, read_request
from tests.servers.running import wait_until

OK = build_response(b'{"n": 1}')
ANSWER = Answer(200, b'{"n": 1}')
POOL_SIZE = 2
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def client() -> AsyncIterator[MeshClient]:
    async with MeshClient(pool_size=POOL_SIZE, idle_connection_s=30.0) as client:
        yield client


async def _ask(client: MeshClient, url: str) -> Answer:
    return await client.post(f"{url}/rank", b"{}", {})


def _answering(*answers: bytes) -> Behave:
    """On each connection these answers, one a request, then no more."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        for each in answers:
            await read_request(reader)
            writer.write(each)
        await reader.read()

    return behave


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, ANSWER.body),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, ANSWER.body),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nTrailer: x\r\n\r\n",
            b"{}",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(100)) + OK[17:], ANSWER.body),
    ],
    ids=["early hints", "continue", "chunks with trailers", "empty", "many headers"],
)
async def test_unusual_answers_are_read(client: MeshClient, answer: bytes, body: bytes) -> None:
    async with misbehaving(_answering(answer, answer)) as url:
        answers = [await _ask(client, url) for _ in range(2)]

    assert answers == [Answer(200, body)] * 2


async def test_an_answer_that_ends_with_its_connection_is_read(client: MeshClient) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"n": 1}')

    async with misbehaving(hang_up) as url:
        answers = [await _ask(client, url) for _ in range(3)]

    assert answers == [ANSWER] * 3


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
    ],
)
async def test_an_answer_cut_anywhere_is_an_error_after_two_tries(client: MeshClient, start: bytes) -> None:
    n_requests = 0

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        nonlocal n_requests
        await read_request(reader)
        n_requests += 1
        writer.write(start)

    async with misbehaving(cut) as url:
        with pytest.raises(TransportError):
            await _ask(client, url)

    assert n_requests <= 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(10_000)) + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
    ids=[
        "long header",
        "too many headers",
        "long reason",
        "TLS",
        "version",
        "length",
        "lengths",
        "chunk",
        "gzip",
    ],
)
async def test_garbage_is_an_error_and_its_connection_is_not_used_again(
    client: MeshClient, answer: bytes
) -> None:
    async def answer_garbage_at_first(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n_before: int
    ) -> None:
        while True:
            await read_request(reader)
            writer.write(OK if n_before else answer)

    async with misbehaving(answer_garbage_at_first) as url:
        with pytest.raises(TransportError):
            await _ask(client, url)
        later = await _ask(client, url)

    assert later == ANSWER


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_comes_after_an_answer_is_not_taken_for_the_next_one(
    client: MeshClient, at_once: bool
) -> None:
    stray, is_written = build_response(b'"of nobody"'), asyncio.Event()

    async def answer_twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        while True:
            await read_request(reader)
            writer.write(OK + stray if at_once else OK)
            await asyncio.sleep(0.05)
            writer.write(b"" if at_once else stray)
            is_written.set()

    async with misbehaving(answer_twice) as url:
        answers = []
        for _ in range(3):
            answers.append(await _ask(client, url))
            await is_written.wait()
            await asyncio.sleep(0.01)  # it has come
            is_written.clear()

    assert answers == [ANSWER] * 3


async def test_a_connection_that_the_server_ends_while_it_is_idle_is_replaced(client: MeshClient) -> None:
    n_connections = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n_before: int) -> None:
        nonlocal n_connections
        n_connections = n_before + 1
        await read_request(reader)
        writer.write(OK)

    async with misbehaving(answer_once) as url:
        answers = []
        for _ in range(5):
            answers.append(await _ask(client, url))
            await asyncio.sleep(0.01)

    assert answers == [ANSWER] * 5
    assert n_connections == 5


async def test_where_kept_connections_always_end_requests_are_hardly_more_than_were_meant(
    client: MeshClient,
) -> None:
    n_requests = n_meant = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        nonlocal n_requests
        for answer in (OK, b""):
            await read_request(reader)
            n_requests += 1
            writer.write(answer)

    async with misbehaving(answer_once) as url:
        while n_requests < 4 * RETRY_BURST:
            n_meant += 1
            with contextlib.suppress(TransportError):
                await _ask(client, url)

    assert n_requests <= 1.1 * n_meant + RETRY_BURST + 1


async def test_an_answer_without_end_is_cut_off(client: MeshClient) -> None:
    async def answer_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n%b\r\n" % bytes(2**20)
        while True:
            writer.write(chunk)
            await writer.drain()

    async with misbehaving(answer_without_end) as url:
        with pytest.raises(TransportError, match=f"longer than {MAX_BODY_BYTES} bytes"):
            await _ask(client, url)


async def test_a_connection_is_kept_for_the_next_request(client: MeshClient) -> None:
    n_connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n_before: int) -> None:
        nonlocal n_connections
        n_connections = n_before + 1
        while True:
            await read_request(reader)
            writer.write(OK)

    async with misbehaving(count) as url:
        for _ in range(20):
            await _ask(client, url)

    assert n_connections == 1


async def test_a_server_that_says_close_is_asked_on_a_new_connection(client: MeshClient) -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    async with misbehaving(_answering(closing, build_response(b"late"))) as url:
        answers = [await _ask(client, url) for _ in range(3)]

    assert answers == [ANSWER] * 3


async def test_a_connection_that_nobody_used_for_long_is_not_used_again() -> None:
    n_connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, n_before: int) -> None:
        nonlocal n_connections
        n_connections = n_before + 1
        while await read_request(reader):
            writer.write(OK)

    async with (
        misbehaving(answer) as url,
        MeshClient(pool_size=POOL_SIZE, idle_connection_s=0.01) as client,
    ):
        for _ in range(3):
            await _ask(client, url)
            await asyncio.sleep(0.05)

    assert n_connections == 3


async def test_what_goes_with_a_request_is_what_was_given() -> None:
    received = list[bytes]()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        while True:
            received.append(await read_request(reader))
            writer.write(OK)

    async with (
        misbehaving(listen) as url,
        MeshClient(pool_size=POOL_SIZE, idle_connection_s=30.0, token="secret") as client,
    ):
        await client.post(f"{url}/mesh/rank", b"{}", {"X-Word": "a"})
        await client.get(url, {})

    host = url.removeprefix("http://").encode()
    named = b"Host: %b\r\nAuthorization: Bearer secret\r\n" % host
    assert received == [
        b"POST /mesh/rank HTTP/1.1\r\n" + named + b"X-Word: a\r\nContent-Length: 2\r\n\r\n{}",
        b"GET / HTTP/1.1\r\n" + named + b"\r\n",
    ]


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\rb"])
async def test_a_header_cannot_become_two(client: MeshClient, value: str) -> None:
    async with misbehaving(_answering(OK)) as url:
        with pytest.raises(TransportError):
            await client.post(url, b"{}", {"X-Word": value})


async def test_who_waits_for_a_place_or_an_answer_may_go_away(client: MeshClient) -> None:
    is_open, was_asked = asyncio.Event(), asyncio.Semaphore(0)

    async def answer_when_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        while True:
            await read_request(reader)
            was_asked.release()
            await is_open.wait()
            writer.write(OK)

    async with misbehaving(answer_when_open) as url:
        tasks = [asyncio.create_task(_ask(client, url)) for _ in range(6)]
        for _ in range(POOL_SIZE):
            await was_asked.acquire()
        for each in tasks:
            each.cancel()
        gone = await asyncio.gather(*tasks, return_exceptions=True)
        is_open.set()
        answers = await asyncio.gather(*(_ask(client, url) for _ in range(6)))

    assert all(isinstance(each, asyncio.CancelledError) for each in gone)
    assert answers == [ANSWER] * 6


async def test_a_cancelled_request_ends_its_connection(client: MeshClient) -> None:
    ended = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        await reader.read()
        ended.set()

    async with misbehaving(never_answer) as url:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await _ask(client, url)
        await ended.wait()


async def test_a_server_that_reads_nothing_holds_nobody_longer_than_the_deadline(client: MeshClient) -> None:
    async def read_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await asyncio.Event().wait()

    async with misbehaving(read_nothing) as url:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.post(url, bytes(2**20), {})


async def test_long_bodies_go_and_come_whole(client: MeshClient) -> None:
    sent = bytes(range(256)) * 4096

    async def send_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        request = await read_request(reader)
        writer.write(build_response(10 * request.partition(b"\r\n\r\n")[2]))
        await writer.drain()
        await reader.read()

    async with misbehaving(send_back) as url:
        answer = await client.post(url, sent, {})

    assert answer == Answer(200, 10 * sent)


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_a_real_server_that_keeps_no_connection_answers_every_request(
    client: MeshClient, http: Literal["httptools", "h11"]
) -> None:
    with _running(_send_back_in_pieces, http=http, timeout_keep_alive=0) as url:
        answers = [await client.post(url, b"%d" % n * 10_000, {}) for n in range(50)]

    assert answers == [Answer(200, b"%d" % n * 10_000) for n in range(50)]


async def _send_back_in_pieces(scope: Any, receive: Any, send: Any) -> None:
    """Chunked, since no length is told."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    is_more = True
    while is_more:
        message = await receive()
        is_more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": is_more})


@contextmanager
def _running(app: Any, **config: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, **config))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
