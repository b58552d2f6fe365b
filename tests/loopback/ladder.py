"""The ladder: every dependency of the gateway, every fault of each, and what readers get meanwhile."""

import os
import signal
import socket
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import httpx
import redis
from sqlalchemy import insert, select, text

from catalog.database import open_database
from catalog.schema import migrate
from catalog.tables import Base
from contracts.shell import SERVER_NAMES
from tests.homes import Home
from tests.loopback.checks import check_authors, check_list
from tests.loopback.conftest import QUICK_AND_UNCACHED
from tests.loopback.load import UNTAUGHT, ListQuery
from tests.loopback.proxy import Proxy, Way
from tests.meshes import Mesh, free_ports, running_mesh, wait_until, with_key
from tests.services import (
    Service,
    free_port,
    new_mariadb_database,
    running,
    running_mariadb_service,
    running_redis,
)

Fault = Literal["kill -9", "SIGSTOP", "refused", "garbage"]
FAULTS: tuple[Fault, ...] = ("kill -9", "SIGSTOP", "refused", "garbage")
CATALOG, REDIS = "catalog", "redis"
DEPENDENCIES = (*SERVER_NAMES, CATALOG, REDIS)
READERS = (1, 2, 3)


@dataclass(frozen=True)
class Ladder:
    """A mesh that reaches everything by proxies; all of it may be harmed, and comes back."""

    mesh: Mesh
    proxies: dict[str, Proxy]
    services: dict[str, Service]
    redis_port: int
    deadline_s: float
    known: dict[int, frozenset[int]] = field(default_factory=dict)
    """What each reader has rated."""

    def pid(self, name: str) -> int:
        return self.services[name].process.pid if name in self.services else self.mesh.pid(name)

    @contextmanager
    def suffering(self, fault: Fault, names: Collection[str]) -> Iterator[None]:
        """The fault, until the end of the block; processes that were killed have come back by then."""
        with redis.Redis(port=self.redis_port) as kept:
            kept.flushall()  # lists that were made before must not hide it
        pids = {name: self.pid(name) for name in names}
        match fault:
            case "kill -9":
                for name in names:
                    self.services[name].end() if name in self.services else self.mesh.kill(name)
                yield
                for name in names:
                    self._bring_back(name, pids[name])
            case "SIGSTOP":
                for pid in pids.values():
                    os.kill(pid, signal.SIGSTOP)
                try:
                    yield
                finally:
                    for pid in pids.values():
                        with suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGCONT)
            case "refused" | "garbage":
                self._turn(names, Way.CLOSED if fault == "refused" else Way.GARBAGE)
                try:
                    yield
                finally:
                    self._turn(names, Way.OPEN)

    def _turn(self, names: Collection[str], way: Way) -> None:
        for name in names:
            self.proxies[name].turn(way)

    def _bring_back(self, name: str, killed: int) -> None:
        if name in self.services:
            self.services[name].start()
        else:
            wait_until(lambda: self.mesh.pid(name) != killed)
            wait_until(lambda: self._is_ready(name))

    def _is_ready(self, name: str) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.mesh.url(name)}/health/ready").status_code == 200
        return False


@contextmanager
def running_ladder(home: Home, folder: Path, *, deadline_s: float, **settings: str) -> Iterator[Ladder]:
    """A whole mesh over the catalog of a home, which is copied into a MariaDB, and with a Redis."""
    with ExitStack() as stack:
        mariadb_port, mariadb = stack.enter_context(running_mariadb_service(folder / "mariadb"))
        database_url = stack.enter_context(new_mariadb_database(mariadb_port))
        copy_catalog(f"sqlite:///{home.path}/catalog.db", database_url)
        (folder / "redis").mkdir()
        redis_port, redis_service = stack.enter_context(running_redis(folder / "redis"))
        ports = free_ports()
        targets = {**{name: ports[name] for name in SERVER_NAMES}, CATALOG: mariadb_port, REDIS: redis_port}
        proxies = {name: Proxy(free_port(), target) for name, target in targets.items()}
        for proxy in proxies.values():
            proxy.start()
            stack.callback(proxy.stop)
        settings = {**QUICK_AND_UNCACHED, "BOOKMESH_DEADLINE_S": str(deadline_s), **settings}
        direct = stack.enter_context(
            running_mesh(home, ports=ports, BOOKMESH_DATABASE_URL=database_url, **settings)
        )
        mesh = stack.enter_context(
            _another_gateway(
                direct,
                **{
                    f"BOOKMESH_GATEWAY__MESH__URLS__{name.upper()}": f"http://127.0.0.1:{proxies[name].port}"
                    for name in SERVER_NAMES
                },
                BOOKMESH_GATEWAY__CACHE__REDIS_URL=f"redis://127.0.0.1:{proxies[REDIS].port}/0",
                BOOKMESH_DATABASE_URL=database_url.replace(str(mariadb_port), str(proxies[CATALOG].port)),
            )
        )
        services = {CATALOG: mariadb, REDIS: redis_service}
        ladder = Ladder(mesh, proxies, services, redis_port, deadline_s)
        for reader in READERS:
            rated = mesh.get(f"/v1/users/{reader}/ratings", limit=1000)["items"]
            ladder.known[reader] = frozenset(item["book_id"] for item in rated)
        yield ladder


@contextmanager
def _another_gateway(mesh: Mesh, **settings: str) -> Iterator[Mesh]:
    """The mesh by another gateway, which `up` cannot give the addresses of its servers."""
    port = free_port()
    home = replace(mesh.home, settings={**mesh.home.settings, **settings, "BOOKMESH_PORT": str(port)})
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, auth=with_key(home.path)) as client,
        running(
            home.command("serve", "gateway"),
            home.path / "gateway.out",
            until=lambda: socket.create_connection(("127.0.0.1", port)).close(),
            cwd=home.checkout,
            env=home.environment(),
        ),
    ):
        by_it = replace(mesh, client=client)
        wait_until(by_it.is_whole)
        yield by_it


def copy_catalog(source_url: str, target_url: str) -> None:
    """The same rows in an empty MariaDB."""
    with closing(open_database(source_url)) as source, closing(open_database(target_url)) as target:
        migrate(target)
        with source.session() as read, target.session(write=True) as write:
            write.execute(text("SET foreign_key_checks = 0"))
            for table in Base.metadata.sorted_tables:
                write.execute(table.delete())
                if rows := [dict(row) for row in read.execute(select(table)).mappings()]:
                    write.execute(insert(table), rows)


QUERIES = [
    *(
        query
        for reader in READERS
        for query in (
            ListQuery(f"/v1/users/{reader}/recommendations"),
            ListQuery(f"/v1/users/{reader}/recommendations", {"mode": "subjects"}, k=30),
            ListQuery(f"/v1/books/{reader}/similar", {"mode": "hybrid", "user_id": reader}),
        )
    ),
    ListQuery("/v1/recommendations", json={"subjects": ["War", "Romance"]}),
    ListQuery("/v1/recommendations", json={"subjects": [UNTAUGHT]}),
    ListQuery("/v1/books/popular", {"subject": "War"}),
    ListQuery("/v1/search", {"q": "the war"}, is_lookup=True),
    ListQuery("/v1/search", {"q": "the war", "subject": "War"}, is_lookup=True),
    ListQuery("/v1/search/semantic", {"q": "a war at sea"}, is_lookup=True),
]
"""Which together need every dependency."""


@dataclass
class Answers:
    """What readers got, and when."""

    statuses: list[int | str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    degraded: set[str] = field(default_factory=set)

    def percentile(self, share: float) -> float:
        """Seconds within which such a share of the requests was answered."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]

    @property
    def failures(self) -> list[int | str]:
        return [status for status in self.statuses if status != 200]


def ask(
    ladder: Ladder, queries: Sequence[ListQuery] = QUERIES, *, turns: int = 1, at_once: int = 8
) -> Answers:
    """Each query so often, so many at once; every list that comes must keep to the rules for readers."""
    answers = Answers()
    client = ladder.mesh.client

    def send(query: ListQuery) -> tuple[int | str, float, dict[str, Any], ListQuery]:
        started_s = time.monotonic()
        try:
            response = query.send(client)
        except httpx.TransportError as error:
            return repr(error), time.monotonic() - started_s, {}, query
        return response.status_code, time.monotonic() - started_s, response.json(), query

    with ThreadPoolExecutor(at_once) as pool:
        for status, seconds, body, query in pool.map(send, [*queries] * turns):
            answers.statuses.append(status)
            answers.seconds.append(seconds)
            if status == 200:
                answers.degraded.update(body["degraded"])
                check_for_readers(ladder, query, body)
    return answers


def check_for_readers(ladder: Ladder, query: ListQuery, body: dict[str, Any]) -> None:
    """No book twice, none that the reader knows, never fewer than k, two of one author in ten at most."""
    k = len(body["items"]) if query.is_lookup else query.k
    reader = next((reader for reader in READERS if f"/v1/users/{reader}/" in query.path), None)
    reader = query.params.get("user_id", reader)
    check_list(body, k=k, unwanted=ladder.known.get(reader, ()) if reader else ())
    if not query.is_lookup:
        check_authors(body["items"])


def await_whole(ladder: Ladder, queries: Sequence[ListQuery] = QUERIES) -> float:
    """Seconds until every query is answered with everything there again."""
    started_s = time.monotonic()
    missing = list(queries)

    def is_whole() -> bool:
        while missing:
            response = missing[-1].send(ladder.mesh.client)
            assert response.status_code == 200, response.text
            if response.json()["degraded"]:
                return False
            missing.pop()
        health = ladder.mesh.client.get("/v1/health").json()
        return bool(health["status"] == "ok")

    wait_until(is_whole)
    return time.monotonic() - started_s
