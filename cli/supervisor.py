"""Starts the processes of the mesh, restarts those that die, and stops all of them together."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from foundation.settings import find_variable

STOP_TIMEOUT_S = 15.0
POLL_S = 0.2
MAX_RESTART_DELAY_S = 30.0
STABLE_AFTER_S = 60.0
"""A process that ran this long is restarted at once; its earlier failures are forgotten."""


class PortInUse(Exception):
    """Another process listens where one of ours should."""

    def __init__(self, name: str, port: int) -> None:
        path = ("gateway", "port") if name == "gateway" else ("servers", "ports", name)
        super().__init__(
            f"port {port} for {name} is in use; stop what runs there (`bookmesh status` tells whether it is "
            f"a mesh of ours) or set {find_variable(*path)}"
        )
        self.name, self.port = name, port


@dataclass(frozen=True)
class ProcessSpec:
    """One process of the mesh: `bookmesh serve <name>`, and where it will listen."""

    name: str
    host: str
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Address on this machine."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class ProcessRow:
    """A row of the process table that `bookmesh status` reads."""

    name: str
    pid: int
    url: str


class _Child:
    """A process that should always run."""

    def __init__(self, spec: ProcessSpec, log_path: Path) -> None:
        self.spec = spec
        self.log_path = log_path
        self.failures = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "cli.serve", self.spec.name]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and a name from our own list
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.spec.environment},
                # Ctrl-C on a terminal reaches the whole foreground group; who stops when is the supervisor's.
                start_new_session=True,
            )
        self.started_at_s = time.monotonic()
        self.restart_at_s: float | None = None

    def has_given_up(self) -> bool:
        code = self.process.poll()
        return self.failures == 0 and code is not None and code >= 0

    def plan_restart(self) -> float:
        """Seconds until the next start: 0 the first time, then doubling."""
        lived_s = time.monotonic() - self.started_at_s
        self.failures = 1 if lived_s > STABLE_AFTER_S else self.failures + 1
        delay_s = min(MAX_RESTART_DELAY_S, 0.5 * 2.0 ** (self.failures - 1) - 0.5)
        self.restart_at_s = time.monotonic() + delay_s
        return delay_s


class Supervisor:
    """Owns the processes from `start` to `stop`; `run` keeps them alive in between."""

    def __init__(self, specs: Sequence[ProcessSpec], *, home: Path, report: Callable[[str], None]) -> None:
        self._specs = specs
        self._home = home
        self._report = report
        self._children: list[_Child] = []
        self.stopping = False
        """Whether `request_stop` was called."""

    def start(self) -> None:
        """Start every process; raise PortInUse before any is started if one could not listen."""
        for spec in self._specs:
            _check_port(spec)
        logs = self._home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        for spec in self._specs:
            self._children.append(_Child(spec, logs / f"{spec.name}.log"))
        self._write_table()

    def run(self) -> None:
        """Restart what dies until `request_stop` is called, then stop everything."""
        try:
            while not self.stopping:
                self.restart_dead()
                time.sleep(POLL_S)
        finally:
            self.stop()

    def request_stop(self, *_: object) -> None:
        """Signal handler: the loop ends at its next turn."""
        self.stopping = True

    def gave_up(self) -> list[str]:
        """Names of the processes that ended by themselves on their first start, so are set up wrongly."""
        return [child.spec.name for child in self._children if child.has_given_up()]

    def restart_dead(self) -> None:
        """Start what has ended, after its delay."""
        for child in self._children:
            if child.process.poll() is None:
                continue
            if child.restart_at_s is None:
                delay_s = child.plan_restart()
                code = child.process.returncode
                self._report(
                    f"{child.spec.name} ended ({code}); restart in {delay_s:.1f} s, log: {child.log_path}"
                )
            elif time.monotonic() >= child.restart_at_s:
                child.start()
                self._write_table()

    def stop(self) -> None:
        """Let every process drain and end, the gateway first; kill what does not within the limit."""
        for child in reversed(self._children):
            if child.process.poll() is None:
                child.process.terminate()
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        for child in self._children:
            try:
                child.process.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._children = []
        table_path(self._home).unlink(missing_ok=True)

    def _write_table(self) -> None:
        rows = [ProcessRow(child.spec.name, child.process.pid, child.spec.url) for child in self._children]
        path = table_path(self._home)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps([asdict(row) for row in rows], indent=1))
        temporary.replace(path)


def table_path(home: Path) -> Path:
    """Where the running mesh of this machine keeps its process table."""
    return home / "run" / "processes.json"


def read_table(home: Path) -> list[ProcessRow]:
    """The processes of the running mesh; empty if none was started with `bookmesh up`."""
    try:
        rows = json.loads(table_path(home).read_text())
    except FileNotFoundError:
        return []
    return [ProcessRow(**row) for row in rows]


def _check_port(spec: ProcessSpec) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((spec.host, spec.port))
        except OSError as error:
            raise PortInUse(spec.name, spec.port) from error
