"""A server that cannot load a version for long: the others wait for it, on the version that all hold."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from contracts.shell import SERVER_NAMES
from tests.homes import Home
from tests.loopback.broken import damaged, info, pointer_at
from tests.loopback.conftest import QUICK_AND_UNCACHED
from tests.loopback.load import ListQuery, has_more, has_recovered, steady_load
from tests.meshes import Mesh, running_mesh, wait_until

pytestmark = pytest.mark.loopback

KEEP_PREVIOUS_S = 1.0
ONLY_RANKED = [ListQuery(f"/v1/users/{number}/recommendations") for number in range(1, 30)]
"""Answered by als and metadata alone: nobody asks the other three for the version that is pinned."""
MIXED = [
    *ONLY_RANKED,
    *(ListQuery("/v1/search/semantic", {"q": f"a war of {number} kings"}) for number in range(15)),
    *(ListQuery("/v1/recommendations", {}, {"subjects": ["War"]}, k=number) for number in range(1, 16)),
]


@pytest.fixture(scope="module")
def forgetful_mesh(trained_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """Servers that let a replaced version go soon."""
    home = trained_home.copy(tmp_path_factory.mktemp("forgetful") / "home")
    settings = {**QUICK_AND_UNCACHED, "BOOKMESH_SERVERS__KEEP_PREVIOUS_S": str(KEEP_PREVIOUS_S)}
    with running_mesh(home, **settings) as running:
        yield running


@contextmanager
def one_left_behind(mesh: Mesh) -> Iterator[None]:
    """The pointer names a version, meanwhile, that all servers but one can load."""
    wait_until(mesh.is_whole)
    store = mesh.home.store
    with ExitStack() as damage:
        new = damage.enter_context(damaged(store))
        with pointer_at(store, new.version):
            wait_until(lambda: new.is_told(mesh))
            yield
            damage.close()
            wait_until(lambda: mesh.get("/v1/version")["version"] == new.version)
            wait_until(lambda: all(info(mesh, name)["held"] == [new.version] for name in SERVER_NAMES))


def test_all_stay_with_the_one_that_is_left_behind_until_it_is_mended(forgetful_mesh: Mesh) -> None:
    mesh, old = forgetful_mesh, str(forgetful_mesh.home.store.current())

    with one_left_behind(mesh):
        with steady_load(mesh.client, ONLY_RANKED, per_second=10) as load:
            time.sleep(3 * KEEP_PREVIOUS_S)
        with steady_load(mesh.client, MIXED, per_second=40) as searching:
            wait_until(has_more(searching, 60))

    for each in (load, searching):
        assert [(outcome.query, outcome.status) for outcome in each.failures] == []
        assert (set(each.versions), each.degraded) == ({old}, {})


def test_a_server_that_is_restarted_meanwhile_loads_what_the_others_stay_with(forgetful_mesh: Mesh) -> None:
    mesh, old = forgetful_mesh, str(forgetful_mesh.home.store.current())

    with one_left_behind(mesh):
        killed = mesh.kill("semantic")
        wait_until(lambda: mesh.pid("semantic") != killed)
        with steady_load(mesh.client, MIXED, per_second=20) as load:
            wait_until(has_recovered(load, n=40))

    assert load.failures == []
    assert set(load.versions) == {old}
    assert set(load.degraded) <= {"semantic"}  # nothing at all, where it was back before anybody asked
