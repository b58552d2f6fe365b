"""Requests at a steady rate against a gateway, whatever happens to the mesh meanwhile."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import httpx

UNTAUGHT = "Short stories"
"""Too few readers of the demo love it to learn from: it takes embedder, similarity and metadata together."""


@dataclass(frozen=True, eq=False)
class ListQuery:
    """A list to fetch, itself the key of its answers; `is_lookup` allows fewer than k books."""

    path: str
    params: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    k: int = 10
    is_lookup: bool = False

    def send(self, client: httpx.Client) -> httpx.Response:
        if self.json is not None:
            return client.post(self.path, json={**self.json, "k": self.k})
        return client.get(self.path, params={**self.params, "k": self.k})


@dataclass(frozen=True)
class Outcome:
    """What became of one query: a response, or the error that stands in for it."""

    query: ListQuery
    status: int | str
    body: dict[str, Any]
    header_version: str | None
    at_s: float = field(default_factory=time.monotonic)
    """When it was there; monotonic."""

    @property
    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body.get("items", [])
        return found


class Load:
    """All outcomes so far; `answered` waits for more of them."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    @property
    def failures(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status != 200]

    @property
    def degraded(self) -> Counter[str]:
        return Counter(name for outcome in self.outcomes for name in outcome.body.get("degraded", []))

    @property
    def versions(self) -> Counter[str]:
        return Counter(outcome.body["version"] for outcome in self.outcomes if outcome.status == 200)


@contextmanager
def steady_load(
    of: httpx.Client, queries: Sequence[ListQuery], *, per_second: float, timeout_s: float = 10
) -> Iterator[Load]:
    """The queries in turn while the block runs, each sent on time though others may not be answered yet.

    They go where the given client's go, in the same name.
    """
    load, stopping = Load(), threading.Event()
    with (
        httpx.Client(base_url=of.base_url, headers=of.headers, auth=of.auth, timeout=timeout_s) as client,
        ThreadPoolExecutor(16) as pool,
    ):

        def fetch(query: ListQuery) -> None:
            load.outcomes.append(_fetch(client, query))

        def send_on_time() -> None:
            next_s = time.monotonic()
            for query in cycle(queries):
                if stopping.wait(max(0.0, next_s - time.monotonic())):
                    return
                pool.submit(fetch, query)
                next_s += 1 / per_second

        sender = threading.Thread(target=send_on_time)
        sender.start()
        try:
            yield load
        finally:
            stopping.set()
            sender.join()


def has_recovered(load: Load, *, n: int = 10) -> Callable[[], bool]:
    """A condition that holds once the last n outcomes were made with everything there."""
    enough = len(load.outcomes) + n

    def is_so() -> bool:
        recent = load.outcomes[-n:]
        return len(load.outcomes) >= enough and all(each.body.get("degraded") == [] for each in recent)

    return is_so


def has_more(load: Load, n: int) -> Callable[[], bool]:
    """A condition that holds once n further outcomes are in."""
    enough = len(load.outcomes) + n
    return lambda: len(load.outcomes) >= enough


def _fetch(client: httpx.Client, query: ListQuery) -> Outcome:
    try:
        response = query.send(client)
        body = response.json()
    except (httpx.TransportError, ValueError) as error:
        return Outcome(query, repr(error), {}, None)
    return Outcome(query, response.status_code, body, response.headers.get("x-artifact-version"))
