"""Serves an app by gunicorn, as production does: several workers, sockets of systemd, no request dropped."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Event
from pathlib import Path
from socket import socket
from typing import Any, Final

import uvicorn
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from prometheus_client import multiprocess

from middleware.serving import SettlingServer

LINGER_S: Final = 1.0
"""A proxy keeps idle connections for less (nginx.conf), so that it sends no request into one that closes."""
BEAT_S: Final = 1.0
HUNG_S: Final = 60
"""Gunicorn kills and replaces a worker whose event loop has been silent for so long."""
AFTER_DRAIN_S: Final = 10
"""What a worker has to close what it opened, once the requests under way have had their time."""


@dataclass(frozen=True)
class Serving:
    """What gunicorn needs to know of one process of the mesh."""

    host: str
    port: int
    """Both are left aside where systemd passes a socket."""
    workers: int
    drain_s: int
    """Seconds that requests under way may take to end when the process stops."""
    shared: Path
    """A folder of the workers: what begins with the pid of one goes when that one has ended."""
    build: Callable[[], uvicorn.Config]
    """Called in each worker: threads and connections do not survive a fork."""


def serve_by_gunicorn(serving: Serving) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP replaces the workers. Requests under way are always answered."""
    gc.freeze()  # what workers share stays so, and none looks through it when it ends, which takes a second
    _Master(_Application(serving)).run()


class _Application(BaseApplication):
    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        super().__init__()

    def load_config(self) -> None:
        host = f"[{self.serving.host}]" if ":" in self.serving.host else self.serving.host
        options = {
            "bind": f"{host}:{self.serving.port}",
            "workers": self.serving.workers,
            "worker_class": _Worker,
            "logger_class": _Log,
            "timeout": HUNG_S,
            "graceful_timeout": self.serving.drain_s + AFTER_DRAIN_S,
            "control_socket_disable": True,
            "child_exit": _forget,
        }
        for name, value in options.items():
            self.cfg.set(name, value)


class _Log(Logger):
    """Gunicorn's lines go where all others go."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)


class _Master(Arbiter):
    """Replaces workers without a gap. What they are set to came with the environment, and stays."""

    WORKERS: "dict[int, _Worker]"  # type: ignore[assignment,misc]

    def reload(self) -> None:
        for _ in range(self.num_workers):
            self.spawn_worker()

    def manage_workers(self) -> None:
        # Gunicorn would end the old ones now, seconds before the new ones answer.
        newest = sorted(self.WORKERS.values(), key=lambda each: each.age)[-self.num_workers :]
        if len(self.WORKERS) <= self.num_workers or all(each.answers.is_set() for each in newest):
            super().manage_workers()


class _Worker(Worker):
    """Runs uvicorn with the settings that it has elsewhere."""

    app: _Application

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answers = Event()
        """Gunicorn's own process sees it too, since it forks later."""

    def init_signals(self) -> None:
        # Having drained, uvicorn raises the signal that stopped it once more: by then it is an order obeyed.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, lambda *_: sys.exit(0))
        for number in (signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def load_wsgi(self) -> None:
        """There is no WSGI."""

    def run(self) -> None:
        sockets: list[Any] = self.sockets
        try:
            _Server(self.app.serving.build(), self).run([each.sock for each in sockets])
        except SystemExit:
            if self.answers.is_set():
                raise
            # The first ones tell that the set-up is wrong, which ends gunicorn; later ones are tried again.
            sys.exit(Arbiter.WORKER_BOOT_ERROR if self.age <= self.cfg.workers else 1)


class _Server(SettlingServer):
    def __init__(self, config: uvicorn.Config, worker: _Worker) -> None:
        super().__init__(config)
        self._worker = worker

    async def startup(self, sockets: list[socket] | None = None) -> None:
        self._beating = asyncio.create_task(self._beat())
        await super().startup(sockets)
        self._worker.answers.set()

    async def _beat(self) -> None:
        while True:
            self._worker.notify()
            if os.getppid() != self._worker.ppid:
                self.should_exit = True  # gunicorn was killed: nobody would ever end us
            await asyncio.sleep(BEAT_S)


def _forget(master: Arbiter, worker: _Worker) -> None:
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
    for file in worker.app.serving.shared.glob(f"{worker.pid}.*"):
        file.unlink(missing_ok=True)
