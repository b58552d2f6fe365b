"""Promotions and rollbacks under load: one version a response, and no request that fails for it."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from artifacts.store import ArtifactStore
from contracts.als import RANK_NEW_PATH
from contracts.shell import SERVER_NAMES
from servers.shell.serve import find_server
from tests.gateway import running
from tests.servers import running as servers
from tests.servers import tiny
from tests.servers.running import wait_until
from tests.services import free_port

REQUEST = {
    "liked": [{"book_id": running.UNTRAINED_BOOK}],
    "subjects": ["Soup"],
    "popularity_weight": 0.5,
    "k": 12,
}
"""What als cannot rank by: a blend whose scores come from two servers, so a mixture of versions shows."""
NEWCOMER = f"/v1/users/{running.SOUP_FAN}/recommendations"
WHY = f"/v1/users/{running.SPACE_READER}/recommendations/33/why"


@dataclass
class _Mesh:
    store: ArtifactStore
    urls: dict[str, str]
    first: str
    second: str

    def promote(self, version: str) -> None:
        self.store.promote(version, by="tests", why="a test")


def _start(home: Path, stack: ExitStack, **changes: Any) -> _Mesh:
    """Five servers of this test's own over two versions, the first of which is current."""
    settings = servers.settings_for(home, **changes)
    store = ArtifactStore(settings.artifacts_root)
    first = tiny.publish(store, home, seed=1)
    second = tiny.publish(store, home, seed=2, promote=False)
    clients = {name: stack.enter_context(servers.serving(name, settings)) for name in SERVER_NAMES}
    return _Mesh(store, {name: str(client.base_url) for name, client in clients.items()}, first, second)


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[_Mesh]:
    """Servers that keep a replaced version for a minute, as they do in production."""
    with ExitStack() as stack:
        yield _start(tmp_path / "mesh", stack)


@pytest.fixture
def forgetful_mesh(tmp_path: Path) -> Iterator[_Mesh]:
    """Servers that drop a replaced version at once."""
    with ExitStack() as stack:
        yield _start(tmp_path / "mesh", stack, keep_previous_s=0.01)


def _recommend(client: httpx.Client) -> dict[str, Any]:
    response = client.post("/v1/recommendations", json=REQUEST)
    assert response.status_code == 200, response.text
    assert response.headers["X-Artifact-Version"] == response.json()["version"]
    body: dict[str, Any] = response.json()
    return body


def _wait_for(client: httpx.Client, version: str) -> None:
    wait_until(lambda: client.get("/v1/version").json()["version"] == version)


def test_under_load_no_request_fails_and_no_response_mixes_versions(mesh: _Mesh, home: Path) -> None:
    settings = running.settings_for(home, mesh.urls, cache={"response_bytes": 1})
    stop = threading.Event()
    with running.gateway(settings) as client, ThreadPoolExecutor(4) as pool:
        bodies = {mesh.first: _recommend(client)}
        mesh.promote(mesh.second)
        _wait_for(client, mesh.second)
        bodies[mesh.second] = _recommend(client)
        assert bodies[mesh.first]["items"] != bodies[mesh.second]["items"]

        def hammer(_: int) -> list[dict[str, Any]]:
            answers = []
            while not stop.is_set():
                answers.append(_recommend(client))
                why = client.get(WHY)
                assert why.headers["X-Artifact-Version"] == why.json()["version"]
                time.sleep(0.01)
            return answers

        hammering = [pool.submit(hammer, n) for n in range(4)]
        try:
            for version in (mesh.first, mesh.second, mesh.first):
                mesh.promote(version)
                _wait_for(client, version)
                time.sleep(0.1)
        finally:
            stop.set()
        answers = [answer for each in hammering for answer in each.result()]

    assert {answer["version"] for answer in answers} == {mesh.first, mesh.second}
    assert all(answer == bodies[answer["version"]] for answer in answers)


def test_a_request_whose_version_is_dropped_is_retried_at_the_next(forgetful_mesh: _Mesh, home: Path) -> None:
    mesh = forgetful_mesh
    # The gateway polls so seldom that it learns of the promotion from the servers' refusals.
    settings = running.settings_for(home, mesh.urls, poll_interval_s=600, cache={"response_bytes": 1})
    with running.gateway(settings) as client:
        assert _recommend(client)["version"] == mesh.first
        mesh.promote(mesh.second)
        for url in mesh.urls.values():
            with httpx.Client(base_url=url) as server:
                wait_until(lambda server=server: server.get("/info").json()["held"] == [mesh.second])

        answer = _recommend(client)

        assert (answer["version"], answer["degraded"]) == (mesh.second, [])
        assert "bookmesh_version_retries_total 1.0" in client.get("/metrics").text


def test_a_server_that_is_left_behind_is_unavailable_rather_than_mixed_in(mesh: _Mesh, home: Path) -> None:
    with ExitStack() as stack:
        # The same first version by content, but sealed later: another name.
        other = _start(home / "other", stack)
        settings = running.settings_for(home, {**mesh.urls, "embedder": other.urls["embedder"]})
        with running.gateway(settings) as client:
            answer = _recommend(client)

    assert answer["version"] == mesh.first
    assert answer["degraded"] == ["embedder"]
    assert answer["mode"] == "popular"


def test_a_server_that_comes_back_is_used_again(mesh: _Mesh, home: Path) -> None:
    port = free_port()
    settings = running.settings_for(home, {**mesh.urls, "embedder": f"http://127.0.0.1:{port}"})
    with running.gateway(settings) as client:
        assert _recommend(client)["degraded"] == ["embedder"]

        again = servers.settings_for(mesh.store.root.parent, ports={"embedder": port})
        with servers.serving("embedder", again):
            wait_until(lambda: not _recommend(client)["degraded"])


def test_an_als_server_that_cannot_rank_newcomers_yet_ranks_by_histories(mesh: _Mesh, home: Path) -> None:
    als = find_server("als")
    before = replace(als, routes=tuple(route for route in als.routes if route.path != RANK_NEW_PATH))
    with ExitStack() as stack:
        server = stack.enter_context(servers.serving(before, servers.settings_for(mesh.store.root.parent)))
        urls = {**mesh.urls, "als": str(server.base_url)}
        client = stack.enter_context(running.gateway(running.settings_for(home, urls)))
        lists = [client.get(NEWCOMER).json() for _ in range(10)]  # more than a breaker lets fail
        of_a_history = client.get(f"/v1/users/{running.SPACE_READER}/recommendations").json()

    assert {(each["mode"], *each["degraded"]) for each in lists} == {("subjects", "als")}
    assert (of_a_history["mode"], of_a_history["degraded"]) == ("collaborative", [])


def test_the_snapshot_follows_the_version(mesh: _Mesh, home: Path) -> None:
    settings = running.settings_for(home, mesh.urls)
    with running.gateway(settings) as client:
        mesh.promote(mesh.second)
        _wait_for(client, mesh.second)

        versions = client.get("/v1/version").json()["servers"]

        assert all(server["version"] == mesh.second for server in versions.values())
        assert client.get("/v1/health").json()["snapshot_books"] == 12
