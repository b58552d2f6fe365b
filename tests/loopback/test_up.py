"""`bookmesh up` from its first line to the last process gone."""

import signal
import socket

import psutil
import pytest

from artifacts.pointer import LOG, POINTER
from cli.supervisor import table_path
from tests.homes import PATIENCE_S, Home
from tests.loopback.checks import check_list
from tests.meshes import PROCESS_NAMES, Mesh, port_settings, running_mesh, wait_until

pytestmark = pytest.mark.loopback


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process_and_frees_every_port(copied_home: Home, ending: signal.Signals) -> None:
    with running_mesh(copied_home) as mesh:
        pids = mesh.pids()

        code = mesh.stop(ending)

    assert code == 0
    assert pids.keys() == set(PROCESS_NAMES)
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]
    assert [name for name, port in mesh.ports.items() if not is_free(port)] == []
    assert not table_path(copied_home.path).exists()


def test_the_welcome_names_the_address_and_requests_that_work_as_printed(mesh: Mesh) -> None:
    wait_until(lambda: mesh.output.read_text().count("curl '") == 3)
    lines = mesh.output.read_text().splitlines()
    urls = [line.split("'")[1] for line in lines if line.strip().startswith("curl '")]

    answers = [mesh.client.get(url) for url in urls]

    assert f"bookmesh is up at {mesh.url('gateway')}" in lines[0]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all(answer.json()["items"] for answer in answers)


def test_a_mesh_started_before_any_training_picks_the_first_version_up(copied_home: Home) -> None:
    version = str(copied_home.store.current())
    for name in (POINTER, LOG):
        (copied_home.path / "artifacts" / name).unlink()
    with running_mesh(copied_home, whole=False) as mesh:
        wait_until(lambda: is_listening(mesh))
        before = mesh.client.get("/v1/users/1/recommendations")

        mesh.home.succeed("versions", "promote", version)
        wait_until(mesh.is_whole)

        after = mesh.get("/v1/users/1/recommendations")
        wait_until(lambda: "bookmesh is up" in mesh.output.read_text())
    assert before.status_code == 200
    check_list(before.json(), k=10)
    assert (before.json()["version"], before.json()["mode"]) == ("none", "popular")
    assert (after["version"], after["mode"], after["degraded"]) == (version, "collaborative", [])


def test_a_second_up_names_the_port_that_is_in_use_and_harms_nothing(mesh: Mesh) -> None:
    pids = mesh.pids()

    message = mesh.home.fail("up")

    assert f"port {mesh.ports['embedder']} for embedder is in use" in message
    assert "BOOKMESH_EMBEDDER_PORT" in message
    assert mesh.pids() == pids
    assert mesh.is_whole()


def test_up_names_the_gateways_port_if_only_that_is_in_use(copied_home: Home, mesh: Mesh) -> None:
    taken = dict.fromkeys(mesh.ports, 0) | {"gateway": mesh.ports["gateway"]}

    message = copied_home.fail("up", **port_settings(taken))

    assert f"port {taken['gateway']} for gateway is in use" in message
    assert "BOOKMESH_PORT" in message


def test_up_without_a_catalog_explains_how_to_fill_one(empty_home: Home) -> None:
    message = empty_home.fail("up")

    assert "bookmesh import demo" in message


def test_up_ends_if_a_process_cannot_start_and_shows_why(copied_home: Home) -> None:
    with running_mesh(copied_home, whole=False, BOOKMESH_GATEWAY__CACHE__REDIS_URL="nonsense") as mesh:
        code = mesh.process.wait(PATIENCE_S)

    output = mesh.output.read_text()
    assert code == 1
    assert "gateway cannot start" in output
    assert "Redis URL must specify one of the following schemes" in output
    assert [name for name, port in mesh.ports.items() if not is_free(port)] == []


def test_a_wrong_setting_is_named_before_anything_starts(copied_home: Home) -> None:
    message = copied_home.fail("up", code=2, BOOKMESH_GATEWAY__DEADLINE_S="soon")

    assert "BOOKMESH_GATEWAY__DEADLINE_S" in message
    assert not table_path(copied_home.path).exists()


def test_status_shows_every_process_ready_with_its_version_and_memory(mesh: Mesh) -> None:
    table = mesh.home.succeed("status")

    rows = {cells[0]: cells for cells in map(read_cells, table.splitlines()) if len(cells) == 6}
    version = mesh.home.store.current()
    for name, pid in mesh.pids().items():
        assert rows[name][:5] == [name, str(mesh.ports[name]), str(pid), "ready", version]
        assert rows[name][5].endswith(" MiB")


def test_status_of_a_mesh_that_is_down_fails(copied_home: Home) -> None:
    done = copied_home.run("status", **port_settings(dict.fromkeys(PROCESS_NAMES, 9)))

    assert done.returncode == 1
    assert done.stdout.count(" down ") == len(PROCESS_NAMES)


def read_cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")[1:-1]]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_listening(mesh: Mesh) -> bool:
    """Whether the gateway answers, though no server holds anything yet."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", mesh.ports["gateway"])) == 0
