"""Processes killed under requests: readers get whole lists all the while."""

from collections.abc import Iterator
from itertools import chain

import pytest

from tests.loopback.checks import check_list
from tests.loopback.load import UNTAUGHT, ListQuery, Load, steady_load
from tests.meshes import PROCESS_NAMES, Mesh, wait_until

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


def test_a_killed_server_is_started_again_and_operators_read_of_it(frail_mesh: Mesh) -> None:
    killed = frail_mesh.kill("semantic")
    wait_until(lambda: frail_mesh.pid("semantic") != killed)

    assert "semantic ended (-9); restart in" in frail_mesh.output.read_text()


def test_a_killed_gateway_comes_back_by_itself(frail_mesh: Mesh) -> None:
    killed = frail_mesh.kill("gateway")
    wait_until(lambda: frail_mesh.pid("gateway") != killed)
    wait_until(frail_mesh.is_whole)

    check_list(frail_mesh.get("/v1/users/1/recommendations"), k=10)
    assert frail_mesh.pids().keys() == set(PROCESS_NAMES)
