"""`bookmesh up` from its first line to the last process gone."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from artifacts.pointer import LOG, POINTER
from cli.process_table import table_path
from tests.homes import PATIENCE_S, Home
from tests.loopback.checks import check_list
from tests.meshes import PROCESS_NAMES, Mesh, free_ports, port_settings, running_mesh, wait_until

pytestmark = pytest.mark.loopback


def test_ctrl_c_ends_every_process_and_frees_every_port(copied_home: Home) -> None:
    with running_mesh(copied_home) as mesh:
        pids = mesh.pids()

        code = mesh.stop(signal.SIGINT)

    assert code == 0
    check_ended(mesh, pids)


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


@pytest.mark.parametrize("has_other_ports", [False, True])
def test_a_second_up_on_a_home_is_refused_and_harms_nothing(mesh: Mesh, has_other_ports: bool) -> None:
    pids = mesh.pids()

    message = mesh.home.fail("up", **(port_settings(free_ports()) if has_other_ports else {}))

    assert f"process {mesh.process.pid} runs a mesh on this home already" in message
    assert mesh.pids() == pids
    assert mesh.is_whole()


def test_no_process_outlives_a_mesh_that_is_killed_and_the_next_one_starts_at_once(copied_home: Home) -> None:
    with running_mesh(copied_home) as mesh:
        pids = mesh.pids()

        mesh.process.kill()
        after = mesh.home.run("status")
        with running_up(mesh.home) as second:
            wait_until(lambda: "bookmesh is up" in second.read_text())
            assert mesh.pids().keys() == set(PROCESS_NAMES)

    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]
    assert not any(str(pid) in after.stdout for pid in pids.values())
    assert "Traceback" not in "".join(path.read_text() for path in (copied_home.path / "logs").iterdir())


def test_sigterm_ends_every_process_once_the_request_under_way_is_answered_in_full(copied_home: Home) -> None:
    with running_mesh(copied_home) as mesh:
        pids = mesh.pids()
        body = b'{"subjects": ["War"]}'
        head = (
            "POST /v1/recommendations HTTP/1.1\r\nHost: books\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", mesh.ports["gateway"])) as client:
            client.sendall(head.encode() + body[:5])
            time.sleep(0.2)
            mesh.process.send_signal(signal.SIGTERM)
            time.sleep(1.5)
            client.sendall(body[5:])
            answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()

        assert mesh.process.wait(PATIENCE_S) == 0

    check_ended(mesh, pids)
    assert answer.startswith("HTTP/1.1 200")
    assert '"degraded":[]' in answer


def test_up_names_the_gateways_port_if_only_that_is_in_use(copied_home: Home, mesh: Mesh) -> None:
    taken = dict.fromkeys(mesh.ports, 0) | {"gateway": mesh.ports["gateway"]}

    message = copied_home.fail("up", **port_settings(taken))

    assert f"port {taken['gateway']} for gateway is in use" in message
    assert "BOOKMESH_PORT" in message


def test_up_without_a_catalog_explains_how_to_fill_one(empty_home: Home) -> None:
    message = empty_home.fail("up")

    assert "bookmesh import demo" in message


def test_up_ends_if_a_process_cannot_start_and_shows_why(copied_home: Home, tmp_path: Path) -> None:
    (tmp_path / "fastapi_offline.py").write_text("raise ImportError('half installed')")
    with running_mesh(copied_home, whole=False, PYTHONPATH=str(tmp_path)) as mesh:
        code = mesh.process.wait(PATIENCE_S)

    output = mesh.output.read_text()
    assert code == 1
    assert "gateway cannot start" in output
    assert "unexpected ImportError: half installed" in output
    assert "fastapi_offline.py" in (copied_home.path / "logs" / "bookmesh.log").read_text()
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
        shown = "idle" if name == "worker" else version
        assert rows[name][:5] == [name, str(mesh.ports[name]), str(pid), "ready", shown]
        assert rows[name][5].endswith(" MiB")


def test_status_of_a_mesh_that_is_down_fails(copied_home: Home) -> None:
    done = copied_home.run("status", **port_settings(dict.fromkeys(PROCESS_NAMES, 9)))

    assert done.returncode == 1
    assert done.stdout.count(" down ") == len(PROCESS_NAMES)


def check_ended(mesh: Mesh, pids: dict[str, int]) -> None:
    """Whether nothing is left of a mesh that had these processes."""
    assert pids.keys() == set(PROCESS_NAMES)
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]
    assert [name for name, port in mesh.ports.items() if not is_free(port)] == []
    assert not table_path(mesh.home.path).exists()


@contextmanager
def running_up(home: Home) -> Iterator[Path]:
    """What a `bookmesh up` prints, which ends with the block."""
    output = home.path / "second.out"
    with output.open("wb") as log:
        process = subprocess.Popen(
            home.command("up"), cwd=home.checkout, env=home.environment(), stdout=log, stderr=log
        )
    try:
        yield output
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


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
