"""Versions that servers refuse: all stay with the one before, say so, and take the next good one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest

from artifacts.store import ArtifactStore
from contracts.shell import SERVER_NAMES
from tests.loopback.broken import (
    Broken,
    damaged,
    failing_its_warm_up,
    half_copied,
    of_a_later_release,
    point_at,
)
from tests.loopback.checks import check_list
from tests.loopback.load import UNTAUGHT, ListQuery, has_more, steady_load
from tests.loopback.twin import seal_twin
from tests.meshes import Mesh, wait_until

pytestmark = pytest.mark.loopback

QUERIES = [
    query
    for number in range(1, 20)
    for query in (
        ListQuery(f"/v1/users/{number}/recommendations"),
        ListQuery("/v1/recommendations", json={"subjects": [UNTAUGHT]}, k=number),
        ListQuery(f"/v1/books/{number}/similar", {"mode": "hybrid"}),
        ListQuery("/v1/search/semantic", {"q": f"a war of {number} kings"}),
    )
]
Making = Callable[[ArtifactStore], AbstractContextManager[Broken]]


@pytest.fixture
def restored_mesh(frail_mesh: Mesh) -> Iterator[Mesh]:
    """A mesh that serves, in the end, what it served before."""
    before = str(frail_mesh.home.store.current())
    yield frail_mesh
    publish(frail_mesh, before)


@pytest.mark.parametrize("making", [damaged, half_copied, of_a_later_release, failing_its_warm_up])
def test_all_stay_with_the_version_before_say_so_and_take_the_next_good_one(
    restored_mesh: Mesh, making: Making
) -> None:
    mesh, store = restored_mesh, restored_mesh.home.store
    old, good, pids = str(store.current()), seal_twin(store, 2).version, mesh.pids()

    with making(store) as broken, steady_load(mesh.client, QUERIES, per_second=20) as load:
        point_at(store, broken.version)
        wait_until(lambda: broken.is_told(mesh))
        wait_until(has_more(load, 20))
        told = mesh.home.succeed("status")
        refusing, logging = find_refusing(mesh), find_logging(mesh, broken.version)
    publish(mesh, good)

    assert [(outcome.query, outcome.status, outcome.body) for outcome in load.failures] == []
    assert (set(load.versions), load.degraded) == ({old}, {})
    for outcome in load.outcomes:
        check_list(outcome.body, k=outcome.query.k)
    assert refusing == logging == set(broken.refused_by)
    for name in broken.refused_by:
        assert f"{name} refuses the current version, so all stay with the one before: " in told
    assert broken.why in told
    assert find_refusing(mesh) == set()
    assert mesh.pids() == pids


def publish(mesh: Mesh, version: str) -> None:
    """Promote a version and wait until the whole mesh answers from it."""
    mesh.home.store.promote(version, by="test", why="a good one")
    wait_until(mesh.is_whole)
    wait_until(lambda: mesh.get("/v1/version")["version"] == version)


def find_refusing(mesh: Mesh) -> set[str]:
    """The servers whose metric says that they refuse what is current."""
    series = {name: f'bookmesh_version_refused{{process="{name}"}} 1.0' for name in SERVER_NAMES}
    return {name for name, line in series.items() if line in httpx.get(f"{mesh.url(name)}/metrics").text}


def find_logging(mesh: Mesh, version: str) -> set[str]:
    """The servers whose log says that they refused a version."""
    logs = {name: (mesh.home.path / "logs" / f"{name}.log").read_text() for name in SERVER_NAMES}
    return {
        name
        for name, log in logs.items()
        if any("version refused" in line and version in line for line in log.splitlines())
    }
