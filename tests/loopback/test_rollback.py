"""Versions promoted and rolled back under requests: none fails, and none mixes two versions."""

from collections.abc import Callable

import pytest

from tests.loopback.load import UNTAUGHT, ListQuery, Outcome, has_more, steady_load
from tests.loopback.twin import seal_twin
from tests.meshes import Mesh, wait_until

pytestmark = pytest.mark.loopback

PER_SECOND = 20.0
QUERIES = [
    query
    for number in range(1, 9)
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
MOVES = 2


def test_rolling_back_and_forth_fails_no_request_and_mixes_no_versions(frail_mesh: Mesh) -> None:
    home = frail_mesh.home
    first, second = str(home.store.current()), seal_twin(home.store).version
    expected = {(first, query): fetch(frail_mesh, query) for query in QUERIES}
    move(frail_mesh, second, lambda: promote(frail_mesh, second))
    expected |= {(second, query): fetch(frail_mesh, query) for query in QUERIES}

    with steady_load(frail_mesh.client, QUERIES, per_second=PER_SECOND) as load:
        for _ in range(MOVES):
            move(frail_mesh, first, lambda: home.succeed("versions", "rollback"))
            wait_until(has_more(load, 10))
            move(frail_mesh, second, lambda: promote(frail_mesh, second))
            wait_until(has_more(load, 10))
    move(frail_mesh, first, lambda: home.succeed("versions", "rollback"))

    assert [(outcome.query, outcome.status, outcome.body) for outcome in load.failures] == []
    assert set(load.versions) == {first, second}
    assert all(outcome.header_version == outcome.body["version"] for outcome in load.outcomes)
    mixed = [
        outcome for outcome in load.outcomes if outcome.body != expected[version_of(outcome), outcome.query]
    ]
    assert mixed == []


def test_the_two_versions_answer_every_question_differently(frail_mesh: Mesh) -> None:
    """Else the test above could not tell a mixture."""
    home = frail_mesh.home
    first, second = str(home.store.current()), seal_twin(home.store).version
    at_first = [books_of(frail_mesh, query) for query in QUERIES]
    move(frail_mesh, second, lambda: promote(frail_mesh, second))

    at_second = [books_of(frail_mesh, query) for query in QUERIES]

    move(frail_mesh, first, lambda: home.succeed("versions", "rollback"))
    same = [
        query
        for query, one, other in zip(QUERIES, at_first, at_second, strict=True)
        if one == other and query.path != "/v1/search"
    ]
    assert same == []


def move(mesh: Mesh, to: str, how: Callable[[], str]) -> None:
    """Move the pointer and wait until the gateway answers from there."""
    assert to in how()
    wait_until(lambda: mesh.get("/v1/version")["version"] == to)


def promote(mesh: Mesh, version: str) -> str:
    return mesh.home.store.promote(version, by="test", why="to roll back from it").version


def version_of(outcome: Outcome) -> str:
    return str(outcome.body["version"])


def fetch(mesh: Mesh, query: ListQuery) -> object:
    response = query.send(mesh.client)
    assert response.status_code == 200
    return response.json()


def books_of(mesh: Mesh, query: ListQuery) -> list[int]:
    return [item["book_id"] for item in query.send(mesh.client).json()["items"]]
