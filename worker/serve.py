"""Runs the worker in this process."""

import signal
import sys
from contextlib import closing
from typing import Final

import uvicorn

from catalog.database import open_database
from foundation.lock import hold_lock
from middleware.connections import bound_connections
from middleware.settings import ConnectionLimits
from notifications.notifier import Notifier
from telemetry.metrics import build_registry
from telemetry.tracing import open_tracing
from worker.app import create_app
from worker.errors import WorkerRunning
from worker.forker import Forker
from worker.home_metrics import HomeCollector
from worker.metrics import PROCESS, WorkerMetrics
from worker.settings import WorkerSettings
from worker.worker import Worker

DRAIN_S: Final = 1


def run_worker(settings: WorkerSettings, forker: Forker, notifier: Notifier, *, can_train: bool) -> None:
    """Work until SIGTERM or SIGINT. Raises WorkerRunning."""
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises the signal that stopped it once more
        signal.signal(number, lambda *_: sys.exit(0))
    with (
        hold_lock(settings.home / "run" / "worker.lock", WorkerRunning),
        closing(open_database(settings.catalog_url)) as db,
    ):
        metrics = WorkerMetrics(build_registry())
        metrics.registry.register(HomeCollector(settings))
        worker = Worker(settings, db, metrics, forker, notifier, can_train=can_train)
        open_tracing(PROCESS, settings.telemetry, begins=False)
        app = create_app(worker, metrics)
        uvicorn.Server(
            uvicorn.Config(
                app,
                host=settings.worker.host,
                port=settings.worker.port,
                loop="uvloop",
                http=bound_connections(ConnectionLimits()),
                ws="none",
                lifespan="on",
                timeout_graceful_shutdown=DRAIN_S,
                access_log=False,
                log_config=None,
                server_header=False,
            )
        ).run()
