"""Fixtures: a whole mesh of real processes, started by `bookmesh up` on free ports."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from cli.own_key import read_headers
from cli.process_table import read_rows
from contracts.shell import INFO_PATH, SERVER_NAMES
from foundation.mesh_token import build_headers
from tests.homes import PATIENCE_S, Home
from tests.services import free_port

PROCESS_NAMES = (*SERVER_NAMES, "worker", "gateway")
PATIENT = {"BOOKMESH_DEADLINE_S": "5", "BOOKMESH_WORKER__TRAINS": "false"}
"""On a machine that does much else, an answer may take longer than readers should wait; and no night that
passes may change the versions of a test."""


@dataclass(frozen=True)
class Mesh:
    """A running `bookmesh up`, and a client of its gateway."""

    home: Home
    ports: dict[str, int]
    process: subprocess.Popen[bytes]
    output: Path
    client: httpx.Client

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def pid(self, name: str) -> int:
        """Pid of one process as the table has it, so that it is the latest start's."""
        return next(row.pid for row in read_rows(self.home.path) if row.name == name)

    def pids(self) -> dict[str, int]:
        return {row.name: row.pid for row in read_rows(self.home.path)}

    def kill(self, name: str) -> int:
        """Kill one process as the kernel would; its pid."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def get(self, path: str, **params: Any) -> Any:
        """The body of a GET that must succeed."""
        response = self.client.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def read_info(self, name: str) -> Any:
        """What a server tells of itself to whoever has the token of the mesh."""
        headers = build_headers(self.home.settings.get("BOOKMESH_MESH_TOKEN"))
        return httpx.get(f"{self.url(name)}{INFO_PATH}", headers=headers).json()

    def is_whole(self) -> bool:
        """Whether every process of the table is ready, and the gateway knows it."""
        try:
            health = self.client.get("/v1/health").json()
            infos = [self.read_info(name) for name in SERVER_NAMES]
        except (httpx.TransportError, json.JSONDecodeError):
            return False
        version, parts = health["version"], health["servers"]
        is_known = all(version in part["held"] and part["breaker"] != "open" for part in parts.values())
        has_all = all(
            info["pid"] == self.pid(info["server"]) and info["version"] == version for info in infos
        )
        return health["status"] == "ok" and is_known and has_all

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        """Ask `up` to end, wait for it, and return its exit code."""
        self.process.send_signal(with_signal)
        return self.process.wait(PATIENCE_S)


def with_key(home: Path) -> Callable[[httpx.Request], httpx.Request]:
    """For `httpx.Client(auth=…)`: what names nobody is sent with the key of a home, once that has one."""

    def sign(request: httpx.Request) -> httpx.Request:
        for name, value in read_headers(home).items():
            request.headers.setdefault(name, value)
        return request

    return sign


def free_ports() -> dict[str, int]:
    """A port of loopback for every process, all different."""
    return {name: free_port() for name in PROCESS_NAMES}


def port_settings(ports: dict[str, int]) -> dict[str, str]:
    """The ports as every release of `bookmesh` reads them."""
    variables = {"gateway": "BOOKMESH_PORT", "worker": "BOOKMESH_WORKER__PORT"}
    return {variables.get(name, f"BOOKMESH_{name.upper()}_PORT"): str(port) for name, port in ports.items()}


@contextmanager
def running_mesh(
    home: Home, *, whole: bool = True, ports: dict[str, int] | None = None, **settings: str
) -> Iterator[Mesh]:
    """A mesh on this home, by default one that is whole; it ends with the block, whatever became of it."""
    ports = ports or free_ports()
    home = replace(home, settings={**home.settings, **PATIENT, **port_settings(ports), **settings})
    output = home.path / "up.out"
    with output.open("wb") as log:
        process = subprocess.Popen(
            home.command("up"),
            cwd=home.checkout,
            env=home.environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{ports['gateway']}"
    with httpx.Client(base_url=url, timeout=10, auth=with_key(home.path)) as client:
        mesh = Mesh(home, ports, process, output, client)
        try:
            if whole:
                wait_until(mesh.is_whole, meanwhile=lambda: _check_running(mesh))
            yield mesh
        finally:
            mesh.stop()
            _end_orphans(ports)


def wait_until(
    is_so: Callable[[], object], *, patience_s: float = 150, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Return as soon as the condition holds; fail if it does not in time."""
    deadline_s = time.monotonic() + patience_s
    while not is_so():
        meanwhile()
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.05)


def _check_running(mesh: Mesh) -> None:
    assert mesh.process.poll() is None, f"bookmesh up ended: {mesh.output.read_text()}"


def _end_orphans(ports: dict[str, int]) -> None:
    """A mesh that did not end its processes must not harm other tests; that it did is for its own tests."""
    for connection in psutil.net_connections("tcp4"):
        is_ours = connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports.values()
        if is_ours and connection.pid:
            psutil.Process(connection.pid).kill()


@pytest.fixture(scope="session")
def mesh(trained_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """One mesh for all tests that leave it as it was, but for ratings of readers from 100 on."""
    with running_mesh(trained_home.copy(tmp_path_factory.mktemp("mesh") / "home")) as running:
        yield running
