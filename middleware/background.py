"""Work that a process repeats for as long as it runs; no error ends it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter

RESTART_DELAY_S: Final = 1.0
"""So long a task rests after an unforeseen error, so that one which recurs does not fill the log."""

log = structlog.get_logger()


class Background:
    """The background tasks of one process: each does its turn again and again until `stop`.

    What a turn foresees, it deals with. Of anything else the task is begun again, and log and metrics tell.
    """

    def __init__(self, process: str, registry: CollectorRegistry) -> None:
        self._process = process
        self._failures = Counter(
            "bookmesh_background_failures",
            "Background tasks begun again after an unforeseen error.",
            ["process", "task"],
            registry=registry,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def repeat(self, name: str, turn: Callable[[], Awaitable[object]], *, every_s: float) -> None:
        """Do a turn now, and another so many seconds after each."""
        self._failures.labels(self._process, name)  # from 0, so that the first failure is seen as a rise
        self._tasks.append(asyncio.create_task(self._repeat(name, turn, every_s), name=name))

    async def stop(self) -> None:
        """Let no turn begin any more, and cancel those under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, name: str, turn: Callable[[], Awaitable[object]], every_s: float) -> None:
        while True:
            try:
                await turn()
            except Exception as error:
                self._failures.labels(self._process, name).inc()
                log.exception("background task begins again", task=name, error=str(error))
                await asyncio.sleep(RESTART_DELAY_S)
            await asyncio.sleep(every_s)
