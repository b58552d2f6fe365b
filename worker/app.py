"""The worker's HTTP side: what its supervisor, `bookmesh status` and Prometheus ask every process."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog.errors import CatalogError
from contracts import shell
from middleware.background import Background
from middleware.problems import HANDLERS
from middleware.requests import RequestMiddleware
from worker.errors import ForkerGone
from worker.metrics import PROCESS, WorkerMetrics
from worker.worker import Worker

POLL_S: Final = 0.5
"""Between two looks for a job: two queries by an index, half a millisecond of CPU with SQLite."""
STUCK_S: Final = 90.0
"""A turn that takes so long hangs, say on a network that swallows everything: SQLite gives up after 15 s."""
BROKEN_CODE: Final = 1
"""The process ends with it, for its supervisor to start it again."""
MAX_BODY_BYTES: Final = 1024

log = structlog.get_logger()


def create_app(worker: Worker, metrics: WorkerMetrics) -> Starlette:
    """The app of the worker, which works as long as it runs."""
    probes = Probes(worker, metrics)
    routes = [
        Route(shell.LIVE_PATH, probes.show),
        Route(shell.READY_PATH, probes.show_ready),
        Route(shell.INFO_PATH, probes.show),
        Route(shell.METRICS_PATH, probes.show_metrics),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        background = Background(PROCESS, metrics.registry)
        background.repeat("work", probes.turn, every_s=POLL_S)
        yield
        await background.stop()
        await asyncio.to_thread(worker.stop)

    requests = Middleware(
        RequestMiddleware,
        metrics=metrics.http,
        max_body_bytes=MAX_BODY_BYTES,
        success_level=logging.DEBUG,
    )
    app = Starlette(
        routes=routes, middleware=[requests], exception_handlers=dict(HANDLERS), lifespan=lifespan
    )
    app.router.redirect_slashes = False
    return app


class Probes:
    """Turns the worker, and tells how it is."""

    def __init__(self, worker: Worker, metrics: WorkerMetrics) -> None:
        self._worker = worker
        self._metrics = metrics
        self._trouble: str | None = "it has not looked for a job yet"

    async def turn(self) -> None:
        """One turn; what the database refuses is told once, until it is well again."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self._worker.turn), STUCK_S)
        except TimeoutError:
            log.critical("stuck in one turn; ending", seconds=STUCK_S)
            os._exit(BROKEN_CODE)
        except ForkerGone:
            log.critical("the process that forks jobs is gone; ending")
            os._exit(BROKEN_CODE)
        except (SQLAlchemyError, CatalogError) as error:
            trouble = f"{type(error).__name__} {error}".splitlines()[0]
            if trouble != self._trouble:
                log.error("the catalog cannot be used", error=trouble)
            self._trouble = trouble
        else:
            self._trouble = None

    async def show(self, request: Request) -> Response:
        """200 as long as the process answers."""
        return self._answer(200)

    async def show_ready(self, request: Request) -> Response:
        """The same, but 503 while the catalog cannot be used."""
        return self._answer(503 if self._trouble else 200)

    async def show_metrics(self, request: Request) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    def _answer(self, status: int) -> Response:
        facts = {"pid": os.getpid(), "doing": self._worker.doing, "trouble": self._trouble}
        return JSONResponse({"process": PROCESS, **facts}, status)
