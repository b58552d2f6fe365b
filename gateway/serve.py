"""Runs the gateway in this process."""

from typing import Final

import uvicorn

from gateway.app import create_app
from gateway.settings import GatewaySettings

KEEP_ALIVE_S: Final = 75
DRAIN_S: Final = 10
"""Seconds that requests under way may take to end when the process is told to stop."""


def run_gateway(settings: GatewaySettings) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are answered first."""
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        access_log=False,
        server_header=False,
    )
