"""Runs the gateway: in this process, or in those of gunicorn."""

import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from catalog.database import open_database
from catalog.schema import check_migrated
from gateway.app import PROCESS, create_app, find_signing_secret
from gateway.production import check_production
from gateway.settings import GatewaySettings
from middleware.connections import UNIX_CLIENT, bound_connections
from middleware.gunicorn import LINGER_S, Serving, serve_by_gunicorn
from middleware.serving import SettlingServer
from telemetry.logs import configure_logging
from telemetry.tracing import open_tracing

KEEP_ALIVE_S: Final = 75
DRAIN_S: Final = 10
"""Seconds that requests under way may take to end when the process stops."""


def run_gateway(settings: GatewaySettings) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are answered first.

    Raises UnsafeSettings, CatalogError, MeshTokenInvalid; SQLAlchemyError if the database does not answer.
    """
    configure_logging(PROCESS, level=settings.telemetry.log_level)
    # Having drained, uvicorn raises the signal that stopped it once more: its default would end the process
    # before the last traces are sent.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    _check_startable(settings)
    open_tracing(PROCESS, settings.telemetry)
    SettlingServer(build_uvicorn_config(settings, create_app(settings))).run()


def run_gateway_workers(settings: GatewaySettings, shared: Path) -> None:
    """The same by gunicorn, on a socket of systemd if it passes one; `shared` is for the workers alone."""
    configure_logging(PROCESS, level=settings.telemetry.log_level)
    _check_startable(settings)

    def build() -> uvicorn.Config:
        open_tracing(PROCESS, settings.telemetry)
        return build_uvicorn_config(settings, create_app(settings), linger_s=LINGER_S)

    options = settings.gateway
    serve_by_gunicorn(Serving(options.host, options.port, options.gunicorn_workers, DRAIN_S, shared, build))


def _check_startable(settings: GatewaySettings) -> None:
    # The app does it all once more, but whatever is raised in there comes out as a traceback of uvicorn's.
    with closing(open_database(settings.catalog_url)) as db:
        check_migrated(db)
        check_production(settings, db)
    find_signing_secret(settings)
    settings.find_mesh_token()


def build_uvicorn_config(settings: GatewaySettings, app: FastAPI, *, linger_s: float = 0) -> uvicorn.Config:
    """How uvicorn runs the gateway."""
    # Who may open a Unix socket of ours is a proxy of this machine.
    proxies = [UNIX_CLIENT, *map(str, settings.gateway.trusted_proxies)]
    return uvicorn.Config(
        app,
        host=settings.gateway.host,
        port=settings.gateway.port,
        loop="uvloop",
        http=bound_connections(settings.gateway.connections, linger_s=linger_s),
        # Never uvicorn's own default, which believes a variable of the environment, or this machine.
        proxy_headers=True,
        forwarded_allow_ips=proxies,
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        access_log=False,
        log_config=None,
        server_header=False,
    )
