"""What becomes of the work for a client who has gone: reading ends, writing does not."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog import ratings
from tests.gateway import running
from tests.gateway.running import KEY, SPACE_READER, STRANGER
from tests.gateway.stubs import misbehaving, read_request
from tests.servers.running import PATIENCE_S, wait_until

BODY = 'Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"rating": 5}'
LIST = f"/v1/users/{SPACE_READER}/recommendations"


class Hanging:
    """A server that takes requests and answers none; how many came, and how many were given up."""

    def __init__(self) -> None:
        self.url = ""
        self.n_asked = self.n_given_up = 0
        self._started, self._stop = threading.Event(), threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        thread.start()
        self._started.wait()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    async def _run(self) -> None:
        async with misbehaving(self._hang) as self.url:
            self._started.set()
            await asyncio.to_thread(self._stop.wait)

    async def _hang(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, _: int) -> None:
        request = await read_request(reader)
        if request.startswith(b"POST"):
            self.n_asked += 1
            await reader.read()
            self.n_given_up += 1


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    hanging = Hanging()
    with hanging.running():
        yield hanging


@contextmanager
def asking(client: httpx.Client, request: str) -> Iterator[None]:
    """A request that is under way in the block, at whose end its client has gone."""
    port = client.base_url.port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"{request} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n{BODY}".encode())
        yield


def test_a_list_for_a_client_who_has_gone_is_not_made(
    urls: dict[str, str], home: Path, hanging: Hanging
) -> None:
    settings = running.settings_for(home, {**urls, "als": hanging.url}, deadline_s=10 * PATIENCE_S)
    with running.gateway(settings) as client:
        with asking(client, f"GET {LIST}"):
            wait_until(lambda: hanging.n_asked == 1)

        wait_until(lambda: hanging.n_given_up == 1)
        wait_until(lambda: 'status="499"} 1.0' in client.get("/metrics").text)
        assert hanging.n_asked == 1


def test_a_list_that_somebody_else_waits_for_is_made(
    urls: dict[str, str], home: Path, hanging: Hanging
) -> None:
    settings = running.settings_for(home, {**urls, "als": hanging.url}, deadline_s=4.0)
    with running.gateway(settings) as client:
        answers: list[httpx.Response] = []
        waiting = threading.Thread(target=lambda: answers.append(client.get(LIST)))
        waiting.start()
        wait_until(lambda: hanging.n_asked == 1)
        with asking(client, f"GET {LIST}"):
            time.sleep(0.2)
        waiting.join()

    assert (answers[0].status_code, answers[0].json()["degraded"]) == (200, ["als"])
    assert hanging.n_asked == 1


def test_a_rating_whose_client_has_gone_is_written(
    urls: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on = threading.Event(), threading.Event()
    put_rating = ratings.put_rating

    def put_slowly(*arguments: Any) -> bool:
        begun.set()
        assert may_go_on.wait(PATIENCE_S)
        return put_rating(*arguments)

    monkeypatch.setattr(ratings, "put_rating", put_slowly)
    path = f"/v1/users/{STRANGER}/ratings"
    with running.gateway(running.settings_for(home, urls, write_timeout_s=PATIENCE_S)) as client:
        with asking(client, f"PUT {path}/44"):
            assert begun.wait(PATIENCE_S)
        may_go_on.set()

        wait_until(lambda: client.get(path).json()["total"] == 1)
