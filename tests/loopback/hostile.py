"""Clients that mean harm, on raw sockets, and what they do to the process and to everybody else meanwhile."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psutil

from contracts.errors import PROBLEM_MEDIA_TYPE
from tests.homes import PATIENCE_S

GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/recommendations HTTP/1.1\r\nHost: x\r\n"


@dataclass
class Answer:
    """The first answer on a connection."""

    status: int
    headers: dict[str, str]
    problem: dict[str, Any] | None
    """The body, if it is a problem."""


@contextmanager
def connect(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        yield client


def send(client: socket.socket, pieces: Iterable[bytes]) -> int:
    """Send until the other side has had enough; the bytes that it took."""
    n_sent = 0
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            client.sendall(piece)
            n_sent += len(piece)
    return n_sent


def receive_all(client: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65_536):
            received += piece
    return received


def parse_answer(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    is_problem = headers.get("content-type") == PROBLEM_MEDIA_TYPE
    problem = json.loads(body[: int(headers["content-length"])]) if is_problem else None
    return Answer(int(status.split()[1]), headers, problem)


def attack(port: int, pieces: Iterable[bytes]) -> Answer:
    """Send all this on one connection, then hang up in one direction and see what was answered."""
    with connect(port) as client:
        send(client, pieces)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
        return parse_answer(receive_all(client))


def drip(port: int, first: bytes, then: bytes) -> tuple[bytes, float]:
    """Send something, and more each half second; what comes back, and after how many seconds it ends."""
    started_s, received = time.monotonic(), b""
    with connect(port) as client, contextlib.suppress(ConnectionError):
        client.sendall(first)
        client.settimeout(0.5)
        while time.monotonic() < started_s + PATIENCE_S:
            try:
                piece = client.recv(65_536)
            except TimeoutError:
                client.sendall(then)
                continue
            if not piece:
                break
            received += piece
    return received, time.monotonic() - started_s


@dataclass
class Harm:
    """What a process suffered while it was attacked."""

    grown_bytes: int = 0
    slowest_s: float = 0.0

    def __str__(self) -> str:
        return f"memory +{self.grown_bytes / 2**20:.1f} MiB, slowest answer {self.slowest_s * 1000:.0f} ms"


@contextmanager
def watching(url: str, pid: int) -> Iterator[Harm]:
    """Measure while the block runs: the growth of the process (PSS), and what an honest client waits."""
    harm, is_asking, is_done = Harm(), threading.Event(), threading.Event()
    process = psutil.Process(pid)
    before = process.memory_full_info().pss

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
            client.get("/health/live")
            is_asking.set()
            while not is_done.wait(0.01) or not harm.slowest_s:
                started_s = time.monotonic()
                client.get("/health/live").raise_for_status()
                harm.slowest_s = max(harm.slowest_s, time.monotonic() - started_s)

    def weigh() -> None:
        while not is_done.wait(0.1):
            harm.grown_bytes = max(harm.grown_bytes, process.memory_full_info().pss - before)

    with _running(ask), _running(weigh):
        is_asking.wait(PATIENCE_S)
        try:
            yield harm
        finally:
            is_done.set()


@contextmanager
def _running(work: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()
