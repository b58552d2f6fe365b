"""Whoever moves the pointer tells the servers, so that how often they look at it does not matter."""

from collections.abc import Iterator

import httpx
import pytest

from contracts.shell import INFO_PATH, RELOAD_PATH, SERVER_NAMES
from tests.homes import Home
from tests.loopback.twin import seal_twin
from tests.meshes import Mesh, port_settings, running_mesh

pytestmark = pytest.mark.loopback


@pytest.fixture(scope="module")
def dozing_mesh(trained_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """Servers that look at the pointer once an hour, and ask for a token."""
    home = trained_home.copy(tmp_path_factory.mktemp("dozing") / "home")
    settings = {"BOOKMESH_SERVERS__POINTER_POLL_S": "3600", "BOOKMESH_MESH_TOKEN": "m" * 32}
    with running_mesh(home, **settings) as running:
        yield running


def current_versions(mesh: Mesh) -> set[str]:
    return {mesh.read_info(name)["version"] for name in SERVER_NAMES}


def test_a_mesh_with_a_token_serves_and_its_servers_refuse_whoever_has_none(dozing_mesh: Mesh) -> None:
    for path in ("/v1/users/1/recommendations", "/v1/books/1/similar", "/v1/search/semantic?q=war"):
        answer = dozing_mesh.client.get(path)
        assert (answer.status_code, answer.json()["degraded"]) == (200, [])
    dozing_mesh.home.succeed("status")

    for name in SERVER_NAMES:
        refused = [
            httpx.get(f"{dozing_mesh.url(name)}{INFO_PATH}"),
            httpx.post(f"{dozing_mesh.url(name)}{RELOAD_PATH}", headers={"Authorization": "Bearer other"}),
        ]
        assert [answer.status_code for answer in refused] == [401, 401], name


def test_a_promotion_a_rollback_and_a_training_reach_every_server_at_once(dozing_mesh: Mesh) -> None:
    home = dozing_mesh.home
    first, twin = str(home.store.current()), seal_twin(home.store).version

    home.succeed("versions", "promote", twin)
    after_promotion = current_versions(dozing_mesh)
    home.succeed("versions", "rollback")
    after_rollback = current_versions(dozing_mesh)
    home.succeed("train")
    after_training = current_versions(dozing_mesh)

    assert (after_promotion, after_rollback) == ({twin}, {first})
    assert after_training == {home.store.current()} != {first}


def test_the_settings_find_servers_that_no_process_table_names(dozing_mesh: Mesh) -> None:
    home = dozing_mesh.home
    twin = seal_twin(home.store).version
    elsewhere = Home(home.path.parent / "linked", {**home.settings, **port_settings(dozing_mesh.ports)})
    elsewhere.path.mkdir()
    (elsewhere.path / "artifacts").symlink_to(home.path / "artifacts")

    done = elsewhere.run("versions", "promote", twin, BOOKMESH_ALS_URL="http://127.0.0.1:9")

    assert current_versions(dozing_mesh) == {twin, str(home.store.previous())}
    assert "warning: als at http://127.0.0.1:9: nobody listens there" in done.stderr
    assert done.stderr.count("\n") == 1
    home.succeed("versions", "rollback")


def test_without_servers_one_line_says_so(copied_home: Home) -> None:
    twin = seal_twin(copied_home.store).version
    ports = port_settings(dict.fromkeys(SERVER_NAMES, 9))

    done = copied_home.run("versions", "promote", twin, **ports)

    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "no model server listens at http://127.0.0.1:9" in done.stderr
