"""Versions published one after the other under load, forward and back, and what the answers make of that."""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from cli.reloading import signal_servers
from contracts.shell import SERVER_NAMES
from tests.bench.serving.processes import read_pss
from tests.deploy.production import Production
from tests.loopback.load import UNTAUGHT, ListQuery, Load, Outcome, has_more, steady_load
from tests.loopback.twin import seal_twin
from tests.meshes import wait_until

PER_SECOND: Final = 20.0
QUERIES: Final = [
    query
    for number in range(1, 4)
    for query in (
        ListQuery(f"/v1/users/{number}/recommendations"),
        ListQuery(f"/v1/users/{number + 20}/recommendations", {"mode": "subjects"}),
        ListQuery("/v1/recommendations", json={"subjects": ["War"], "popularity_weight": number / 10}),
        ListQuery("/v1/recommendations", json={"subjects": [UNTAUGHT], "popularity_weight": number / 10}),
        ListQuery(f"/v1/books/{number}/similar"),
        ListQuery("/v1/search/semantic", {"q": f"a war of {number} kings"}),
        ListQuery("/v1/books/popular", k=10 + number),
        ListQuery("/v1/search", {"q": "war"}, k=number),
    )
]
FOUND_BY_TITLE: Final = "/v1/search"
"""Finds the same books in every version; that their titles differ is enough."""
BACK_EVERY: Final = 4
"""After so many versions the last one is rolled back."""
PATIENCE_S: Final = 120
Answers = dict[tuple[str, ListQuery], dict[str, Any]]


@dataclass
class Published:
    """What was published, and what came of it."""

    versions: Sequence[str]
    load: Load
    n_moves: int = 0
    pss_mib: dict[int, float] = field(default_factory=dict)
    """Of all processes together, after so many versions."""

    def find_mixed(self, expected: Answers) -> list[Outcome]:
        """Whole answers that are not those of the version that they name."""
        return [
            each
            for each in self.load.outcomes
            if each.status == 200
            and not each.body["degraded"]
            and (
                each.body != expected[each.body["version"], each.query]
                or each.header_version != each.body["version"]
            )
        ]


def publish_in_turn(
    production: Production, n_versions: int, *, every_s: float, measured_after: Collection[int] = ()
) -> Published:
    """Publish so many twins of the current version as commands do, each so long after the one before."""
    store = production.host.home.store
    twins = [seal_twin(store, number).version for number in range(1, n_versions + 1)]
    with steady_load(production.client, QUERIES, per_second=PER_SECOND, timeout_s=PATIENCE_S) as load:
        wait_until(has_more(load, 10), patience_s=PATIENCE_S)
        published = Published([str(store.current()), *twins], load)
        for place in _in_time(n_versions, every_s):
            if is_back := place < 0:
                store.rollback(by="test", why="forward and back")
            else:
                store.promote(twins[place], by="test", why="forward and back")
            signal_servers(find_servers(production))
            published.n_moves += 1
            if not is_back and place + 1 in measured_after:
                published.pss_mib[place + 1] = sum(read_pss(production.pids).values())
        wait_until(lambda: answers_from(production, str(store.current())), patience_s=PATIENCE_S)
    return published


def fetch_calmly(production: Production, versions: Sequence[str]) -> Answers:
    """What each version answers while nothing else happens; the first one is served in the end."""
    answers: Answers = {}
    for version in [*versions[1:], versions[0]]:
        serve(production, version)
        for query in QUERIES:
            answers[version, query] = _fetch(production, query, version)
    return answers


def find_alike(answers: Answers, versions: Sequence[str]) -> list[ListQuery]:
    """Queries that two versions, of which one follows the other, answer with the same books."""
    return [
        query
        for one, other in pairwise(versions)
        for query in QUERIES
        if query.path != FOUND_BY_TITLE
        and [each["book_id"] for each in answers[one, query]["items"]]
        == [each["book_id"] for each in answers[other, query]["items"]]
    ]


def serve(production: Production, version: str) -> None:
    """Promote a version, and wait until it answers."""
    production.host.home.store.promote(version, by="test", why="to see what it answers")
    signal_servers(find_servers(production))
    wait_until(lambda: answers_from(production, version), patience_s=PATIENCE_S)


def answers_from(production: Production, version: str) -> bool:
    """Whether a gateway has pinned this version."""
    return bool(production.client.get("/v1/version").json()["version"] == version)


def find_servers(production: Production) -> dict[str, str]:
    return {name: f"http://127.0.0.1:{production.host.ports[name]}" for name in SERVER_NAMES}


def _in_time(n: int, every_s: float) -> Iterator[int]:
    """Places of versions to publish, each so long after the one before; -1 is a rollback."""
    next_s = time.monotonic()
    for place in range(n):
        for each in (place, -1) if place % BACK_EVERY == BACK_EVERY - 1 else (place,):
            time.sleep(max(0.0, next_s - time.monotonic()))
            yield each
            next_s += every_s


def _fetch(production: Production, query: ListQuery, version: str) -> dict[str, Any]:
    """By any of the gateway's workers, which pin a version each by itself."""
    found: dict[str, Any] = {}

    def is_there() -> bool:
        found.update(query.send(production.client).json())
        return found["version"] == version and not found["degraded"]

    wait_until(is_there, patience_s=PATIENCE_S)
    return found
