"""A closed-loop load: so many connections that are kept, each with one request under way.

The client shares the machine with what it measures, so it is small: httptools parses what comes, and of an
answer no more is looked at than its status.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import urlsplit

import httptools
import numpy as np
import uvloop

LAST_ANSWERS_S: Final = 10.0
"""How long answers may take that are still missing when the time is over."""
RECONNECT_S: Final = 0.05
OK: Final = 200
IS_DEGRADED: Final = b'"degraded":["'
PERCENTILES: Final = (50, 95, 99)


@dataclass
class Outcome:
    """What became of the requests of one run."""

    seconds: list[float] = field(default_factory=list)
    """Of each answer 200."""
    refused: dict[int, int] = field(default_factory=dict)
    """Other answers, by their status."""
    degraded: int = 0
    """Of the answers 200, those that a fallback has made."""
    lost: int = 0
    """Requests without an answer: the connection ended, or time did."""
    took_s: float = 0.0
    client_cpu_s: float = 0.0

    @property
    def n_answers(self) -> int:
        """Of whatever status."""
        return len(self.seconds) + sum(self.refused.values())

    @property
    def rate(self) -> float:
        """Answers 200 a second."""
        return len(self.seconds) / self.took_s

    def percentiles_ms(self) -> list[float]:
        """p50, p95 and p99 of the answers 200; NaN where there are none."""
        if not self.seconds:
            return [float("nan")] * len(PERCENTILES)
        return [float(each) * 1000 for each in np.percentile(self.seconds, PERCENTILES)]


def build_request(url: str, path: str, headers: dict[str, str], body: object = None) -> bytes:
    """A GET of a path of this server; with a body, a POST of it as JSON."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{'POST' if content else 'GET'} {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def drive(
    url: str, requests: Iterator[bytes], *, connections: int, seconds: float, waits: bool = True
) -> Outcome:
    """Send requests for so many seconds, then wait for the last answers.

    A client that is refused comes back after the seconds of `Retry-After`; if it does not wait, at once.
    """
    run = _Run(url, requests, seconds, waits)
    cpu_s, started_s = time.process_time(), time.perf_counter()
    uvloop.run(run.finish(connections))
    run.outcome.took_s = min(time.perf_counter() - started_s, max(seconds, run.last_answer_s - started_s))
    run.outcome.client_cpu_s = time.process_time() - cpu_s
    return run.outcome


class _Run:
    """What the connections of one run share."""

    def __init__(self, url: str, requests: Iterator[bytes], seconds: float, waits: bool) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname, parts.port
        self.requests = requests
        self.waits = waits
        self.outcome = Outcome()
        self._end_s = time.perf_counter() + seconds
        self.last_answer_s = 0.0

    @property
    def left_s(self) -> float:
        return max(0.0, self._end_s - time.perf_counter())

    def end(self) -> None:
        """Send nothing more."""
        self._end_s = min(self._end_s, time.perf_counter())

    async def finish(self, connections: int) -> None:
        tasks = [asyncio.create_task(self._keep_connected()) for _ in range(connections)]
        _, late = await asyncio.wait(tasks, timeout=self.left_s + LAST_ANSWERS_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.outcome.lost += len(late)

    async def _keep_connected(self) -> None:
        loop = asyncio.get_running_loop()
        while self.left_s:
            try:
                transport, client = await loop.create_connection(lambda: _Client(self), *self._address)
            except OSError:
                self.outcome.lost += 1
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                await asyncio.sleep(await client.ended)
            finally:
                transport.close()


class _Client(asyncio.Protocol):
    """One connection: sends a request, waits for its answer, sends the next."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[float] = self._loop.create_future()
        """When the connection has; the seconds until the client may come back."""
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at_s: float | None = None
        self._wait_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._send()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def on_message_begin(self) -> None:
        self._wait_s = 0.0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._run.waits and name.lower() == b"retry-after":
            self._wait_s = float(value)

    def on_body(self, body: bytes) -> None:
        self._run.outcome.degraded += IS_DEGRADED in body

    def on_message_complete(self) -> None:
        now_s = self._run.last_answer_s = time.perf_counter()
        outcome, status = self._run.outcome, self._parser.get_status_code()
        if status != OK:
            outcome.refused[status] = outcome.refused.get(status, 0) + 1
        elif self._sent_at_s is not None:
            outcome.seconds.append(now_s - self._sent_at_s)
        self._sent_at_s = None
        if not self._parser.should_keep_alive():
            self._transport.close()
        elif self._wait_s:
            self._loop.call_later(min(self._wait_s, self._run.left_s), self._send)
        else:
            self._send()

    def connection_lost(self, _: Exception | None) -> None:
        if self._sent_at_s is not None:
            self._run.outcome.lost += 1
        if not self.ended.done():
            self.ended.set_result(min(self._wait_s, self._run.left_s))

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        request = next(self._run.requests, None) if self._run.left_s else None
        if request is None:
            self._run.end()
            self._transport.close()
            return
        self._sent_at_s = time.perf_counter()
        self._transport.write(request)
