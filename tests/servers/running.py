"""Real servers in threads of the test process, on ports that the system chooses."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from contracts.shell import SERVER_NAMES, ServerName
from servers.shell.routes import ModelServer
from servers.shell.serve import build_app, build_uvicorn_config, find_server
from servers.shell.settings import ServerSettings

PATIENCE_S = 30.0
"""Long, because a busy machine takes seconds to start a process; a passing test never waits for it."""


def settings_for(home: Path, **changes: Any) -> ServerSettings:
    """Settings that react fast, with ports that the system chooses."""
    ports = dict.fromkeys(SERVER_NAMES, 0)
    return ServerSettings(home=home, servers={"pointer_poll_s": 0.02, "ports": ports, **changes})


@contextmanager
def serving(
    server: ServerName | ModelServer[Any], settings: ServerSettings, *, ready: bool = True
) -> Iterator[httpx.Client]:
    """A client of a running server, by default one that is ready; the server drains and stops at the end."""
    server = find_server(server) if isinstance(server, str) else server
    config = build_uvicorn_config(server.name, settings, build_app(server, settings))
    runner = uvicorn.Server(config)
    thread = threading.Thread(target=runner.run, name=f"serving-{server.name}")
    thread.start()
    try:
        wait_until(lambda: runner.started)
        port = runner.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            if ready:
                wait_until(lambda: client.get("/health/ready").status_code == 200)
            yield client
    finally:
        runner.should_exit = True
        thread.join()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; fail if it does not within PATIENCE_S."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.01)
