"""What systemd does with our units, where none is running: sockets that stay, services, signals."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from contracts.shell import DEFAULT_PORTS, SERVER_NAMES
from tests.homes import ROOT, Home
from tests.services import free_port

PORTS = {**DEFAULT_PORTS, "gateway": 8000, "worker": 8106}
UNITS = ROOT / "deploy" / "systemd"
SERVICES = (*(f"bookmesh-server@{name}.service" for name in SERVER_NAMES), "bookmesh-gateway.service")
PATIENCE_S = 60
BECOME_SERVICE = """
import fcntl, os, sys
passed = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in sys.argv[1].split(",")]
for place, number in enumerate(passed, start=3):
    os.dup2(number, place)
os.environ.update(LISTEN_FDS=str(len(passed)), LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""A program that makes itself a service as systemd does, its sockets being the descriptors from 3 on."""
Options = list[tuple[str, str]]


def read_unit(name: str, folder: Path = UNITS) -> dict[str, Options]:
    """A unit by its sections, with what its drop-ins add; of an instance, that of its template."""
    stem, _, kind = name.rpartition(".")
    template = f"{stem.partition('@')[0]}@" if "@" in stem else stem
    own = folder / name
    files = [own if own.exists() else folder / f"{template}.{kind}"]
    files += sorted((folder / f"bookmesh-.{kind}.d").glob("*.conf"))
    sections: dict[str, Options] = {}
    for file in files:
        for line in file.read_text().splitlines():
            if line.startswith("["):
                options = sections.setdefault(line.strip("[]"), [])
            elif line and not line.startswith("#"):
                key, _, value = line.partition("=")
                options.append((key, value.replace("%i", stem.partition("@")[2])))
    return sections


@dataclass
class Host:
    """A machine with our files on it: its paths lie below a folder, its ports are free ones."""

    folder: Path
    home: Home
    units: Path = UNITS
    """Another folder holds units that are placed already."""
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    sockets: dict[str, list[socket.socket]] = field(default_factory=dict)

    @property
    def gateway_socket(self) -> Path:
        return self.folder / "run" / "bookmesh" / "gateway.sock"

    def place(self, text: str) -> str:
        """What our files say, with the paths and ports of this machine, and the code of this checkout."""
        if self.units is not UNITS:
            return text
        venv = '"$$(readlink -f /opt/bookmesh/current)/venv/bin'
        text = text.replace(f'{venv}/python" -P', sys.executable)
        text = text.replace(f'{venv}/bookmesh"', f"{sys.executable} -m cli.main")
        for path in ("/run/bookmesh", "/etc/bookmesh", "/var/log/nginx"):
            text = text.replace(path, f"{self.folder}{path}")
        text = text.replace("/var/lib/bookmesh", str(self.home.path))
        for name, port in PORTS.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.ports[name]}")
        return text

    def environment(self, unit: dict[str, Options]) -> dict[str, str]:
        """What a service sees: its files and its own lines, and nothing of ours but the path."""
        lines = []
        for key, value in unit["Service"]:
            if key == "EnvironmentFile":
                file = Path(self.place(value.removeprefix("-")))
                lines += file.read_text().splitlines() if file.exists() else []
            elif key == "Environment":
                lines += shlex.split(self.place(value))
        pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
        return {"PATH": os.environ["PATH"], **{key: value for key, _, value in pairs}}

    def start(self, *names: str) -> None:
        """Start services, and wait until each says that it is ready."""
        with ExitStack() as stack:
            waiting = {name: stack.enter_context(self._starting(name)) for name in names}
            for name, ready in waiting.items():
                if ("Type", "notify") in self._read(name)["Service"]:
                    self._wait_until_ready(name, ready)

    @contextmanager
    def _starting(self, name: str) -> Iterator[socket.socket]:
        unit = self._read(name)
        command = self._command(unit)
        passed = [listener.fileno() for listener in self._find_sockets(name)]
        if passed:
            numbers = ",".join(map(str, passed))
            command = [sys.executable, "-S", "-c", BECOME_SERVICE, numbers, *command]
        with self._ready_socket(name) as ready, self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment(unit) | {"NOTIFY_SOCKET": str(ready.getsockname())},
                pass_fds=passed,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            yield ready

    def stop(self, name: str) -> int:
        """Stop a service as systemd does; what it ended with."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE_S)

    def restart(self, name: str) -> None:
        """Stop and start; meanwhile its socket stays."""
        if name in self.processes:
            self.stop(name)
        self.start(name)

    def reload(self, name: str) -> None:
        """What ExecReload of our units does."""
        assert ("ExecReload", "/bin/kill -HUP $MAINPID") in self._read(name)["Service"]
        self.processes[name].send_signal(signal.SIGHUP)

    def run(self, name: str) -> int:
        """Run a service to its end, as systemd does one that is `oneshot`."""
        unit = self._read(name)
        with self.log(name).open("ab") as log:
            return subprocess.call(
                self._command(unit),
                cwd=ROOT,
                env=self.environment(unit),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def close(self) -> None:
        """Stop everything."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(PATIENCE_S)
        for listener in chain.from_iterable(self.sockets.values()):
            listener.close()

    def _read(self, name: str) -> dict[str, Options]:
        return read_unit(name, self.units)

    def _command(self, unit: dict[str, Options]) -> list[str]:
        return shlex.split(self.place(dict(unit["Service"])["ExecStart"]).replace("$$", "$"))

    def _find_sockets(self, service: str) -> list[socket.socket]:
        name = service.replace(".service", ".socket")
        if name not in self.sockets and (self.units / name).exists():
            addresses = [value for key, value in self._read(name)["Socket"] if key == "ListenStream"]
            self.sockets[name] = [listen(self.place(address)) for address in addresses]
        return self.sockets.get(name, [])

    @contextmanager
    def _ready_socket(self, name: str) -> Iterator[socket.socket]:
        path = self.folder / f"{name}.notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(path))
            ready.settimeout(1)
            yield ready

    def _wait_until_ready(self, name: str, ready: socket.socket) -> None:
        for _ in range(PATIENCE_S):
            assert self.processes[name].poll() is None, self.log(name).read_text()
            try:
                if ready.recv(4096).startswith(b"READY=1"):
                    return
            except TimeoutError:
                continue
        raise AssertionError(f"{name} did not say that it is ready: {self.log(name).read_text()}")


def listen(address: str) -> socket.socket:
    """A socket of systemd's, by its ListenStream."""
    if not address.startswith("/"):
        host, _, port = address.partition(":")
        return socket.create_server((host, int(port)), backlog=1024)
    Path(address).parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(1024)
    return listener
