"""Runs the gateway or a model server by gunicorn: what `bookmesh serve` becomes."""

import os
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp

from cli.commands import ending_in_one_sentence
from contracts.shell import SERVER_NAMES


def serve_in_production(name: str) -> None:
    """Serve until told to stop, in as many workers as the settings say."""
    own_pid, shared = os.getpid(), Path(mkdtemp(prefix=f"bookmesh-{name}-"))
    # prometheus_client looks for it when it is imported, as both branches below do.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared)
    try:
        _serve(name, shared)
    finally:
        if os.getpid() == own_pid:  # workers, which are forks, leave by here too
            shutil.rmtree(shared, ignore_errors=True)


def _serve(name: str, shared: Path) -> None:
    # Each process imports its own stack only: the gateway holds no model library, a server no SQL.
    if name == "gateway":
        from gateway.serve import run_gateway_workers
        from gateway.settings import GatewaySettings

        run_gateway_workers(GatewaySettings(), shared)
    for server in SERVER_NAMES:
        if name == server:
            from servers.shell.serve import run_server_workers
            from servers.shell.settings import ServerSettings

            run_server_workers(server, ServerSettings(), shared)


if __name__ == "__main__":
    with ending_in_one_sentence():
        serve_in_production(sys.argv[1])
