"""Processes killed under requests: readers get whole lists all the while."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import pytest

from contracts.shell import SERVER_NAMES, ServerName
from tests.loopback.checks import check_list
from tests.loopback.load import UNTAUGHT, ListQuery, Load, has_recovered, steady_load
from tests.meshes import PATIENT, PROCESS_NAMES, Mesh, wait_until

pytestmark = pytest.mark.loopback

QUERIES = list(
    chain.from_iterable(
        (
            ListQuery(f"/v1/users/{number}/recommendations"),
            ListQuery("/v1/recommendations", json={"subjects": ["War", "Romance"]}),
            ListQuery("/v1/recommendations", json={"subjects": [UNTAUGHT]}),
            ListQuery(f"/v1/books/{number}/similar", {"mode": "hybrid"}),
            ListQuery("/v1/search", {"q": "the war"}, is_lookup=True),
            ListQuery("/v1/search/semantic", {"q": "a war at sea"}),
            ListQuery("/v1/books/popular", {"subject": "War"}),
            ListQuery(f"/v1/users/{number}/recommendations", {"mode": "subjects"}, k=30),
        )
        for number in range(1, 30)
    )
)
RATE = 20.0


@pytest.fixture
def load(frail_mesh: Mesh) -> Iterator[Load]:
    with steady_load(frail_mesh.client, QUERIES, per_second=RATE) as running:
        yield running


def check_lists(load: Load) -> None:
    """No query failed, and each got all its books."""
    assert [(outcome.query, outcome.status, outcome.body) for outcome in load.failures] == []
    for outcome in load.outcomes:
        k = len(outcome.items) if outcome.query.is_lookup else outcome.query.k
        check_list(outcome.body, k=k)


@pytest.mark.parametrize("name", SERVER_NAMES)
def test_readers_get_whole_lists_while_a_killed_server_comes_back(
    frail_mesh: Mesh, load: Load, name: ServerName
) -> None:
    killed = frail_mesh.kill(name)
    wait_until(lambda: frail_mesh.pid(name) != killed)
    wait_until(frail_mesh.is_whole)
    wait_until(has_recovered(load))

    check_lists(load)
    assert set(load.degraded) == {name}
    assert f"{name} ended (-9); restart in" in frail_mesh.output.read_text()


@pytest.mark.parametrize(
    "query",
    [
        ListQuery("/v1/users/1/recommendations"),
        ListQuery("/v1/recommendations", json={"subjects": ["War"], "age_group": "25-34"}),
    ],
)
def test_a_server_that_hangs_delays_its_lists_and_is_named(frail_mesh: Mesh, query: ListQuery) -> None:
    pid = frail_mesh.pid("als")
    os.kill(pid, signal.SIGSTOP)
    try:
        response = query.send(frail_mesh.client)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    check_list(response.json(), k=10)
    assert (response.json()["mode"], response.json()["degraded"]) == ("subjects", ["als"])
    assert response.elapsed.total_seconds() < float(PATIENT["BOOKMESH_DEADLINE_S"])


def test_popular_books_stand_in_when_all_servers_are_killed_at_once(frail_mesh: Mesh, load: Load) -> None:
    killed = {name: frail_mesh.kill(name) for name in SERVER_NAMES}
    wait_until(lambda: all(frail_mesh.pid(name) != pid for name, pid in killed.items()))
    wait_until(frail_mesh.is_whole)

    failures = [outcome for outcome in load.failures if not outcome.query.path.startswith("/v1/search")]
    assert [(outcome.query, outcome.status) for outcome in failures] == []
    assert any(
        outcome.body.get("mode") == "popular" and outcome.body["degraded"] for outcome in load.outcomes
    )


def test_a_killed_gateway_comes_back_by_itself(frail_mesh: Mesh) -> None:
    killed = frail_mesh.kill("gateway")
    wait_until(lambda: frail_mesh.pid("gateway") != killed)
    wait_until(frail_mesh.is_whole)

    check_list(frail_mesh.get("/v1/users/1/recommendations"), k=10)
    assert frail_mesh.pids().keys() == set(PROCESS_NAMES)
