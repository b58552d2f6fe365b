"""The supervisor on real processes, some of which cannot start."""

import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest

from cli import log_files, probes
from cli import supervisor as supervision
from cli.errors import AlreadyUp, ListenRefused
from cli.process_table import ProcessRow, ProcessSpec, read_table, table_path, write_table
from cli.supervisor import Supervisor
from contracts.shell import LIVE_PATH, SERVER_NAMES
from tests.gateway.running import build_home
from tests.meshes import free_ports, wait_until

UNSTARTABLE = "kettle"
"""`bookmesh serve kettle` ends at once, since there is no such server."""


@pytest.fixture
def messages() -> list[str]:
    """What the supervisor has reported."""
    return []


@pytest.fixture
def make(tmp_path: Path, messages: list[str]) -> Iterator[Callable[..., Supervisor]]:
    """Builds supervisors that start in this folder; all of them are stopped."""
    made: list[Supervisor] = []
    ports = free_ports()

    def build(*names: str, host: str = "127.0.0.1") -> Supervisor:
        environment = {"BOOKMESH_HOME": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}
        environment |= {f"BOOKMESH_SERVERS__PORTS__{name.upper()}": str(ports[name]) for name in SERVER_NAMES}
        environment |= {"BOOKMESH_PORT": str(ports["gateway"]), "BOOKMESH_SERVERS__HOST": host}
        environment |= {"BOOKMESH_WORKER__PORT": str(ports["worker"]), "BOOKMESH_MESH_TOKEN": "x" * 32}
        specs = [ProcessSpec(name, host, ports.get(name, ports["gateway"]), environment) for name in names]
        made.append(Supervisor(specs, home=tmp_path, report=messages.append))
        return made[-1]

    yield build
    for each in made:
        each.stop()


@contextmanager
def tending(running: Supervisor) -> Iterator[None]:
    """The supervisor's loop, in a thread, until the block ends."""
    loop = Thread(target=running.run)
    loop.start()
    try:
        yield
    finally:
        running.request_stop()
        loop.join()


def is_live(url: str) -> bool:
    try:
        return httpx.get(url + LIVE_PATH).is_success
    except httpx.TransportError:
        return False


def alive(home: Path) -> list[str]:
    return [row.name for row in read_table(home) if psutil.pid_exists(row.pid)]


def test_the_table_names_every_process_while_it_runs_and_is_gone_afterwards(
    make: Callable[..., Supervisor], tmp_path: Path
) -> None:
    running = make("als", "embedder")

    running.start()
    rows = read_table(tmp_path)
    running.stop()

    assert [row.name for row in rows] == ["als", "embedder"]
    assert not [row.pid for row in rows if psutil.pid_exists(row.pid)]
    assert not table_path(tmp_path).exists()
    assert read_table(tmp_path) == []


def test_a_killed_process_is_started_again_at_once(
    make: Callable[..., Supervisor], tmp_path: Path, messages: list[str]
) -> None:
    running = make("als")
    running.start()
    killed = read_table(tmp_path)[0].pid
    with tending(running):
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: read_table(tmp_path)[0].pid != killed)

        assert alive(tmp_path) == ["als"]

    assert messages == [f"als ended (-9); restart in 0.0 s, log: {tmp_path / 'logs' / 'als.log'}"]
    assert alive(tmp_path) == []


@pytest.mark.parametrize("name", ["als", "gateway", "worker"])
def test_a_process_that_hangs_is_killed_and_started_again(
    name: str,
    make: Callable[..., Supervisor],
    tmp_path: Path,
    messages: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probes, "LIVE_TIMEOUT_S", 0.5)
    monkeypatch.setattr(probes, "LIVE_INTERVAL_S", 0.1)
    build_home(tmp_path)
    running = make(name)
    running.start()
    [row] = read_table(tmp_path)
    with tending(running):
        wait_until(lambda: is_live(row.url))
        os.kill(row.pid, signal.SIGSTOP)

        wait_until(lambda: read_table(tmp_path)[0].pid != row.pid)

        wait_until(lambda: is_live(row.url))
    assert messages[0] == f"{name} ({row.pid}) runs, but has stopped answering; killed"
    assert messages[1].startswith(f"{name} ended (-9); restart in 0.0 s")
    assert len(messages) == 2


@pytest.mark.parametrize("host", ["0.0.0.0", "::1"])
def test_a_process_is_reached_wherever_it_listens(
    host: str, make: Callable[..., Supervisor], tmp_path: Path
) -> None:
    running = make("als", host=host)

    running.start()

    wait_until(lambda: is_live(read_table(tmp_path)[0].url))


def test_an_address_of_another_machine_is_refused_by_the_name_of_its_setting(
    make: Callable[..., Supervisor],
) -> None:
    with pytest.raises(ListenRefused, match=r"als cannot listen on 192\.0\.2\.1.*BOOKMESH_SERVER"):
        make("als", host="192.0.2.1").start()


def test_a_home_has_one_mesh_whatever_its_ports(make: Callable[..., Supervisor], tmp_path: Path) -> None:
    make("als").start()
    table = read_table(tmp_path)

    with pytest.raises(AlreadyUp) as refused:
        make("embedder").start()

    assert refused.value.pid == os.getpid()
    assert read_table(tmp_path) == table


def test_the_table_of_a_mesh_that_was_killed_is_not_believed_and_no_obstacle(
    make: Callable[..., Supervisor], tmp_path: Path
) -> None:
    write_table(tmp_path, [ProcessRow("als", os.getpid(), "http://127.0.0.1:9")])
    believed = read_table(tmp_path)

    make("embedder").start()

    assert believed == []
    assert [row.name for row in read_table(tmp_path)] == ["embedder"]


def test_the_logs_of_running_processes_stay_small(
    make: Callable[..., Supervisor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "MAX_BYTES", 50)
    running = make(UNSTARTABLE)
    running.start()

    wait_until(lambda: (running.tend(), (tmp_path / "logs" / f"{UNSTARTABLE}.log.2").exists())[1])

    logs = sorted((tmp_path / "logs").iterdir())
    assert {path.name for path in logs} <= {f"kettle.log{end}" for end in ("", ".1", ".2", ".3")}
    assert all("no server is called" in path.read_text() for path in logs[1:])


def test_a_process_that_keeps_ending_is_started_more_and_more_slowly(
    make: Callable[..., Supervisor], messages: list[str]
) -> None:
    running = make(UNSTARTABLE)
    running.start()

    wait_until(lambda: (running.tend(), len(messages) >= 3)[1])

    delays = [line.split("restart in ")[1].split(" s")[0] for line in messages]
    assert delays == ["0.0", "0.5", "1.5"]


def test_a_process_that_cannot_start_is_distinguished_from_one_that_was_killed(
    make: Callable[..., Supervisor], tmp_path: Path
) -> None:
    running = make(UNSTARTABLE, "als")
    running.start()
    os.kill(next(row.pid for row in read_table(tmp_path) if row.name == "als"), signal.SIGKILL)

    wait_until(running.gave_up)

    assert running.gave_up() == [UNSTARTABLE]
    assert "no server is called 'kettle'" in (tmp_path / "logs" / f"{UNSTARTABLE}.log").read_text()


def test_a_process_that_does_not_stop_in_time_is_killed(
    make: Callable[..., Supervisor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "STOP_TIMEOUT_S", 0.3)
    running = make("als")
    running.start()
    pid = read_table(tmp_path)[0].pid
    os.kill(pid, signal.SIGSTOP)  # a stopped process does not see SIGTERM

    running.stop()

    assert not psutil.pid_exists(pid)


def test_nothing_is_started_if_one_port_is_in_use(make: Callable[..., Supervisor], tmp_path: Path) -> None:
    running = make("embedder", "als")
    port = running._specs[1].port

    with socket.create_server(("127.0.0.1", port)), pytest.raises(ListenRefused) as refused:
        running.start()

    assert (refused.value.name, refused.value.port) == ("als", port)
    assert "BOOKMESH_SERVERS__PORTS__ALS" in str(refused.value)
    assert read_table(tmp_path) == []


def test_a_port_in_use_is_named_with_the_variable_that_set_it(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_PORT", "8000")

    assert str(ListenRefused("gateway", "127.0.0.1", 8000, OSError(errno.EADDRINUSE, ""))).endswith(
        "set BOOKMESH_PORT"
    )


def test_a_request_to_stop_ends_the_loop_at_once(make: Callable[..., Supervisor]) -> None:
    running = make()
    running.start()
    started_s = time.monotonic()

    running.request_stop()
    running.run()

    assert running.stopping
    assert time.monotonic() - started_s < 5
