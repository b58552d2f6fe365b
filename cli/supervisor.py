"""Starts the processes of the mesh, restarts those that die or hang, and stops all of them in order."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from cli.errors import AlreadyUp, ListenRefused
from cli.log_files import log_path, rotate
from cli.probes import Watch
from cli.process_table import ProcessRow, ProcessSpec, lock_path, table_path, write_table
from foundation.lock import hold_lock

STOP_TIMEOUT_S = 15.0
"""What the gateway has to answer what it has begun, and then the servers to end."""
POLL_S: Final = 0.2
MAX_RESTART_DELAY_S: Final = 30.0
STABLE_AFTER_S: Final = 60.0
"""A process that ran this long is restarted at once; its earlier failures are forgotten."""


class _Child:
    """A process that should always run."""

    def __init__(self, spec: ProcessSpec, log_path: Path, lifeline: int, threads: Executor) -> None:
        self.spec = spec
        self.log_path = log_path
        self.failures = 0
        self._lifeline = lifeline
        self._threads = threads
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "cli.serve", self.spec.name]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and a name from our own list
                command,
                stdin=self._lifeline,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.spec.environment},
                # Ctrl-C on a terminal reaches the whole foreground group; who stops when is the supervisor's.
                start_new_session=True,
            )
        self.started_at_s = time.monotonic()
        self.restart_at_s: float | None = None
        self.watch = Watch(self.spec.url, self._threads)

    def has_given_up(self) -> bool:
        code = self.process.poll()
        return self.failures == 0 and code is not None and code >= 0

    def kill(self) -> None:
        """Kill it; until it is dead, it is watched anew."""
        self.process.kill()
        self.watch = Watch(self.spec.url, self._threads)

    def plan_restart(self) -> float:
        """Seconds until the next start: 0 the first time, then doubling."""
        lived_s = time.monotonic() - self.started_at_s
        self.failures = 1 if lived_s > STABLE_AFTER_S else self.failures + 1
        delay_s = min(MAX_RESTART_DELAY_S, 0.5 * 2.0 ** (self.failures - 1) - 0.5)
        self.restart_at_s = time.monotonic() + delay_s
        return delay_s


class Supervisor:
    """Owns the processes, and their home, from `start` to `stop`; `run` keeps them alive in between."""

    def __init__(self, specs: Sequence[ProcessSpec], *, home: Path, report: Callable[[str], None]) -> None:
        self._specs = specs
        self._home = home
        self._report = report
        self._children: list[_Child] = []
        self._held = ExitStack()
        self.stopping = False
        """Whether `request_stop` was called."""

    def start(self) -> None:
        """Start every process; raise AlreadyUp or ListenRefused before any is started."""
        self._held.enter_context(hold_lock(lock_path(self._home), AlreadyUp))
        self._wait_for_ports()
        logs = self._home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        threads = self._held.enter_context(ThreadPoolExecutor(max(1, len(self._specs))))
        lifeline = self._open_lifeline()
        for spec in self._specs:
            self._children.append(_Child(spec, log_path(self._home, spec.name), lifeline, threads))
        self._write_table()

    def run(self) -> None:
        """Tend the processes until `request_stop` is called, then stop everything."""
        try:
            while not self.stopping:
                self.tend()
                time.sleep(POLL_S)
        finally:
            self.stop()

    def request_stop(self, *_: object) -> None:
        """Signal handler: the loop ends at its next turn."""
        self.stopping = True

    def gave_up(self) -> list[str]:
        """Names of the processes that ended by themselves on their first start, so are set up wrongly."""
        return [child.spec.name for child in self._children if child.has_given_up()]

    def tend(self) -> None:
        """Kill what hangs, start what has ended, after its delay, and keep the logs small."""
        for child in self._children:
            rotate(child.log_path)
            if child.process.poll() is None:
                self._kill_hung(child)
            else:
                self._restart(child)

    def stop(self) -> None:
        """Let the gateway answer what it has begun, then end the servers; kill what does not end in time."""
        _end([child.process for child in self._children if child.spec.name == "gateway"])
        _end([child.process for child in self._children])
        if self._children:
            table_path(self._home).unlink(missing_ok=True)
        self._children = []
        self._held.close()

    def _wait_for_ports(self) -> None:
        # A mesh that was killed has left its table, and for a moment its processes, which end by themselves.
        patience_s = STOP_TIMEOUT_S if table_path(self._home).exists() else 0.0
        deadline_s = time.monotonic() + patience_s
        while True:
            try:
                for spec in self._specs:
                    check_port(spec)
            except ListenRefused:
                if self.stopping or time.monotonic() > deadline_s:
                    raise
                time.sleep(POLL_S)
            else:
                return

    def _open_lifeline(self) -> int:
        """The end of a pipe that processes read from: its other end closes with us, however we end."""
        read_end, write_end = os.pipe()
        self._held.callback(os.close, read_end)
        self._held.callback(os.close, write_end)
        return read_end

    def _kill_hung(self, child: _Child) -> None:
        if child.watch.is_hung():
            self._report(f"{child.spec.name} ({child.process.pid}) runs, but has stopped answering; killed")
            child.kill()

    def _restart(self, child: _Child) -> None:
        if child.restart_at_s is None:
            delay_s = child.plan_restart()
            code = child.process.returncode
            self._report(
                f"{child.spec.name} ended ({code}); restart in {delay_s:.1f} s, log: {child.log_path}"
            )
        elif time.monotonic() >= child.restart_at_s:
            try:
                child.start()
            except OSError as error:  # no memory, say: the others run on
                delay_s = child.plan_restart()
                self._report(f"{child.spec.name} cannot be started ({error}); again in {delay_s:.1f} s")
            self._write_table()

    def _write_table(self) -> None:
        rows = [ProcessRow(child.spec.name, child.process.pid, child.spec.url) for child in self._children]
        try:
            write_table(self._home, rows)
        except OSError as error:  # a full disk must not end the mesh
            self._report(f"the process table, which `bookmesh status` reads, is out of date ({error})")


def _end(processes: Iterable["subprocess.Popen[bytes]"]) -> None:
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    for process in running:
        try:
            process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check_port(spec: ProcessSpec) -> None:
    """Raise ListenRefused if the process could not listen where it should."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            spec.host, spec.port, type=socket.SOCK_STREAM
        ):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        raise ListenRefused(spec.name, spec.host, spec.port, error) from error
