"""Starts one model server: the outermost layer, where settings, store, logs and sockets meet."""

import importlib
import signal
import sys
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from artifacts.store import ArtifactStore
from contracts.shell import ServerName
from foundation.mesh_token import MeshTokenInvalid, is_loopback
from middleware.connections import bound_connections
from middleware.gunicorn import LINGER_S, Serving, serve_by_gunicorn
from middleware.serving import SettlingServer
from servers.shell.answers import limit_math_threads
from servers.shell.app import create_app
from servers.shell.background_digests import BackgroundDigests
from servers.shell.holder import VersionHolder
from servers.shell.metrics import ServerMetrics
from servers.shell.routes import ModelServer
from servers.shell.settings import ServerSettings
from servers.shell.siblings import Siblings
from telemetry.logs import configure_logging
from telemetry.metrics import build_registry
from telemetry.tracing import open_tracing

KEEP_ALIVE_S = 75
"""Longer than any client of ours keeps an idle connection, so that the server never closes first."""


def run_server(name: ServerName, settings: ServerSettings) -> None:
    """Serve until told to stop by SIGTERM or SIGINT; then let running requests end."""
    configure_logging(name, level=settings.telemetry.log_level)
    server = find_server(name)
    limit_math_threads(settings.servers)
    # Having drained, uvicorn raises the signal that stopped it once more: by then it is an order obeyed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    SettlingServer(build_uvicorn_config(name, settings, build_app(server, settings))).run()


def run_server_workers(name: ServerName, settings: ServerSettings, shared: Path) -> None:
    """The same by gunicorn, on a socket of systemd if it passes one; `shared` is for the workers alone."""
    configure_logging(name, level=settings.telemetry.log_level)
    server, options = find_server(name), settings.servers
    _find_mesh_token(settings)

    def build() -> uvicorn.Config:
        limit_math_threads(options)
        app = build_app(server, settings, Siblings(shared))
        return build_uvicorn_config(name, settings, app, linger_s=LINGER_S)

    serve_by_gunicorn(
        Serving(options.host, options.port(name), options.gunicorn_workers, options.drain_s, shared, build)
    )


def find_server(name: ServerName) -> ModelServer[Any]:
    """The `SERVER` of servers.<name>.app, imported only now: each process loads its own libraries only."""
    server: ModelServer[Any] = importlib.import_module(f"servers.{name}.app").SERVER
    return server


def build_app(
    server: ModelServer[Any], settings: ServerSettings, siblings: Siblings | None = None
) -> Starlette:
    """The app of one server over the artifact store that the settings name. Raises MeshTokenInvalid."""
    store = ArtifactStore(settings.artifacts_root, read_digest=BackgroundDigests().read)
    metrics = ServerMetrics(server.name, build_registry())
    holder = VersionHolder(store, server, settings.servers, metrics, siblings)
    open_tracing(server.name, settings.telemetry, begins=False)
    return create_app(holder, _find_mesh_token(settings))


def _find_mesh_token(settings: ServerSettings) -> str | None:
    token = settings.find_mesh_token()
    if token is None and not is_loopback(settings.servers.host):
        raise MeshTokenInvalid(
            f"model servers at {settings.servers.host} could be asked by anyone: set BOOKMESH_MESH_TOKEN, "
            "for them and the gateway, or let BOOKMESH_SERVERS__HOST be 127.0.0.1"
        )
    return token


def build_uvicorn_config(
    name: ServerName, settings: ServerSettings, app: Starlette, *, linger_s: float = 0
) -> uvicorn.Config:
    """How uvicorn runs every model server."""
    return uvicorn.Config(
        app,
        host=settings.servers.host,
        port=settings.servers.port(name),
        loop="uvloop",
        http=bound_connections(
            settings.servers.connections, linger_s=linger_s, only_read=("GET", "HEAD", "POST")
        ),
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.servers.drain_s,
        access_log=False,
        proxy_headers=False,  # nothing stands between the gateway and a model server
        log_config=None,
        server_header=False,
    )
