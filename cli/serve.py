"""The command that runs one process of the mesh, and what such a process starts from."""

import os
import signal
import sys
import time
from threading import Thread
from typing import Annotated, Final

import typer

from cli.commands import ending_in_one_sentence
from cli.console import fail
from contracts.shell import SERVER_NAMES

LAST_S: Final = 15.0
"""Seconds that a process has to end by itself once its parent is gone."""


def serve(
    name: Annotated[
        str, typer.Argument(help="gateway, embedder, similarity, als, metadata, semantic or worker.")
    ],
) -> None:
    """Run one process of the mesh in the foreground: gateway and model servers by gunicorn."""
    if name in ("gateway", *SERVER_NAMES):
        # All that commands import would stay in memory: this process becomes one that has only what it needs.
        os.execv(sys.executable, [sys.executable, "-m", "cli.production", name])  # noqa: S606 - our own module
    serve_alone(name)


def serve_alone(name: str) -> None:
    """The same without gunicorn."""
    # Each process imports its own stack only: the gateway holds no model library, a server no SQL.
    if name == "gateway":
        from gateway.serve import run_gateway
        from gateway.settings import GatewaySettings

        run_gateway(GatewaySettings())
    elif name in SERVER_NAMES:
        from servers.shell.serve import run_server
        from servers.shell.settings import ServerSettings

        run_server(name, ServerSettings())
    elif name == "worker":
        from cli.worker import work

        work()
    else:
        fail(f"no server is called {name!r}; choose gateway, {', '.join(SERVER_NAMES)} or worker", code=2)


def serve_while_supervised(name: str) -> None:
    """Run one process as a child of `bookmesh up`, which holds the other end of stdin."""
    stop_with_parent()
    with ending_in_one_sentence():
        serve_alone(name)


def stop_with_parent() -> None:
    """End this process when whoever started it, and holds the other end of stdin, is gone."""
    Thread(target=_stop_with_parent, daemon=True).start()


def _stop_with_parent() -> None:
    # Not sys.stdin.read, whose lock an interpreter that exits meanwhile would stumble over.
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_S)
    os._exit(1)


if __name__ == "__main__":
    serve_while_supervised(sys.argv[1])
