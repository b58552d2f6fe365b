"""The supervisor on real processes, some of which cannot start."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import psutil
import pytest

from cli import supervisor as supervision
from cli.supervisor import PortInUse, ProcessSpec, Supervisor, read_table, table_path
from contracts.shell import SERVER_NAMES
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

    def build(*names: str) -> Supervisor:
        environment = {"BOOKMESH_HOME": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}
        environment |= {f"BOOKMESH_SERVERS__PORTS__{name.upper()}": str(ports[name]) for name in SERVER_NAMES}
        specs = [
            ProcessSpec(name, "127.0.0.1", ports.get(name, ports["gateway"]), environment) for name in names
        ]
        made.append(Supervisor(specs, home=tmp_path, report=messages.append))
        return made[-1]

    yield build
    for each in made:
        each.stop()


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
    loop = Thread(target=running.run)
    loop.start()
    killed = read_table(tmp_path)[0].pid

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: read_table(tmp_path)[0].pid != killed)

    assert alive(tmp_path) == ["als"]
    assert messages == [f"als ended (-9); restart in 0.0 s, log: {tmp_path / 'logs' / 'als.log'}"]
    running.request_stop()
    loop.join()
    assert alive(tmp_path) == []


def test_a_process_that_keeps_ending_is_started_more_and_more_slowly(
    make: Callable[..., Supervisor], messages: list[str]
) -> None:
    running = make(UNSTARTABLE)
    running.start()

    wait_until(lambda: (running.restart_dead(), len(messages) >= 3)[1])

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

    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortInUse) as refused:
        running.start()

    assert (refused.value.name, refused.value.port) == ("als", port)
    assert "BOOKMESH_SERVERS__PORTS__ALS" in str(refused.value)
    assert read_table(tmp_path) == []


def test_a_port_in_use_is_named_with_the_variable_that_set_it(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_PORT", "8000")

    assert str(PortInUse("gateway", 8000)).endswith("set BOOKMESH_PORT")


def test_a_request_to_stop_ends_the_loop_within_a_second(make: Callable[..., Supervisor]) -> None:
    running = make()
    running.start()
    started_s = time.monotonic()

    running.request_stop()
    running.run()

    assert running.stopping
    assert time.monotonic() - started_s < 1
