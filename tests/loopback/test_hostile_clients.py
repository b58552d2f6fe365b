"""What a hostile client can do to a gateway and a model server: very little, and nothing to the others."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from middleware.connections import RECEIVE_S
from middleware.settings import ConnectionLimits
from tests.loopback.hostile import (
    GET,
    POST,
    Answer,
    attack,
    connect,
    drip,
    parse_answer,
    receive_all,
    send,
    watching,
)
from tests.meshes import Mesh, wait_until

pytestmark = pytest.mark.loopback

MEGABYTE = b"x" * 1_000_000


def header_lines() -> Iterator[bytes]:
    """104 MB of them."""
    yield GET
    yield from itertools.repeat(b"X-Flood: x\r\n" * 8_667, 1000)


def header_value() -> Iterator[bytes]:
    """One header of 200 MB."""
    yield GET + b"X-Flood: "
    yield from itertools.repeat(MEGABYTE, 200)


def url() -> Iterator[bytes]:
    yield b"GET /"
    yield from itertools.repeat(MEGABYTE, 100)


def trailers() -> Iterator[bytes]:
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    yield from itertools.repeat(b"X-Flood: x\r\n" * 8_667, 1000)


def chunk_extension() -> Iterator[bytes]:
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n2;"
    yield from itertools.repeat(MEGABYTE, 200)


def endless_body() -> Iterator[bytes]:
    yield POST + b"Content-Length: 1000000000\r\n\r\n"
    yield from itertools.repeat(MEGABYTE, 200)


@pytest.mark.parametrize("name", ["gateway", "als"])
@pytest.mark.parametrize(
    ("flood", "status", "code"),
    [
        (header_lines, 431, "headers_too_large"),
        (header_value, 431, "headers_too_large"),
        (url, 414, "uri_too_long"),
        (trailers, 431, "headers_too_large"),
        (chunk_extension, 431, "headers_too_large"),
        (endless_body, 413, "body_too_large"),
    ],
)
def test_a_flood_is_refused_early(
    mesh: Mesh, name: str, flood: Callable[[], Iterator[bytes]], status: int, code: str
) -> None:
    with watching(mesh.url(name), mesh.pid(name)) as harm:
        answer = attack(mesh.ports[name], flood())

    print(f"{name}: {flood.__name__}: {answer.status}, {harm}")
    check_refused(answer, status, code)
    assert harm.grown_bytes < 8 * 2**20
    assert harm.slowest_s < 1


def check_refused(answer: Answer, status: int, code: str) -> None:
    assert answer.problem
    assert (answer.status, answer.problem["code"]) == (status, code)
    assert answer.headers["x-request-id"] == answer.problem["request_id"]


DRIPS: dict[str, tuple[bytes, bytes, bool]] = {
    "silence": (b"", b"", False),
    "blank lines": (b"", b"\r\n", False),
    "half a head": (GET, b"", True),
    "a dripping head": (GET, b"X: x\r\n", True),
    "half a body": (POST + b"Content-Length: 100\r\n\r\n{", b"", True),
    "a dripping body": (POST + b"Content-Length: 100\r\n\r\n{", b" ", True),
    "dripping chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n", True),
}
"""What comes first, what comes each half second after it, and whether a request has begun."""


def test_who_sends_nothing_or_half_a_request_is_cut_off_in_time(mesh: Mesh) -> None:
    cases = list(itertools.product(("gateway", "als"), DRIPS))

    with ThreadPoolExecutor(len(cases)) as pool:
        ends = list(pool.map(lambda case: drip(mesh.ports[case[0]], *DRIPS[case[1]][:2]), cases))

    for (name, kind), (received, after_s) in zip(cases, ends, strict=True):
        print(f"{name}: {kind}: {received[:12]!r} after {after_s:.1f} s")
        assert RECEIVE_S - 1 < after_s < RECEIVE_S + 4
        if DRIPS[kind][2]:
            check_refused(parse_answer(received), 408, "request_timeout")
        else:
            assert received == b""


def test_more_connections_than_an_address_may_have_are_refused_and_places_become_free(mesh: Mesh) -> None:
    limit = ConnectionLimits().per_address
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(mesh.ports["gateway"])) for _ in range(limit + 20)]
        last = clients[-1]
        check_refused(parse_answer(receive_all(last)), 503, "overloaded")

    wait_until(lambda: attack(mesh.ports["gateway"], [GET + b"\r\n"]).status == 200)


def test_a_client_that_asks_without_end_and_never_reads_costs_nothing(mesh: Mesh) -> None:
    request = b"GET /v1/subjects?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n"

    with watching(mesh.url("gateway"), mesh.pid("gateway")) as harm, connect(mesh.ports["gateway"]) as client:
        client.settimeout(3)
        with contextlib.suppress(TimeoutError):
            n_sent = send(client, itertools.repeat(request * 1000, 1000))

    print(f"{n_sent} bytes taken; {harm}")
    assert harm.grown_bytes < 16 * 2**20
    assert harm.slowest_s < 1
