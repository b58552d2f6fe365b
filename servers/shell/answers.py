"""Answers a model's routes: each request from one version, in time, and never more at once than the limit."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from threadpoolctl import threadpool_limits

from contracts import shell
from middleware.problems import list_mistakes
from servers.errors import DeadlinePassed, Overloaded
from servers.shell.holder import VersionHolder
from servers.shell.routes import ModelRoute
from servers.shell.settings import ServerOptions
from telemetry.tracing import span

M = TypeVar("M")

MAX_INLINE_BODY_BYTES: Final = 16_384
"""A larger body names so many books that even quick answers take milliseconds: those go to a thread."""
MAX_MISTAKES_SHOWN: Final = 5
MAX_DEADLINE_DIGITS: Final = 9
"""Eleven days in milliseconds; Python refuses to read thousands of digits."""


class ModelAnswers(Generic[M]):
    """Answers from the versions of a holder, on the event loop or, what takes long, in a thread."""

    def __init__(self, holder: VersionHolder[M]) -> None:
        self.routes = holder.server.routes
        self._holder = holder
        self._limit = holder.options.concurrency
        self._n_running = 0
        self._threads = ThreadPoolExecutor(
            holder.options.worker_threads,
            "answers",
            initializer=limit_math_threads,
            initargs=(holder.options,),
        )

    async def answer(self, route: ModelRoute[M], request: Request) -> Response:
        """The endpoint of a route.

        Raises HTTPException for a request that is invalid, Overloaded, NotLoaded, VersionNotHeld,
        DeadlinePassed, and what the model refuses.
        """
        received_s = time.monotonic()
        allowed_ms = _read_allowed_ms(request.headers.get(shell.DEADLINE_HEADER))
        body = await request.body()
        message = _parse(route, body)
        if self._n_running >= self._limit:
            raise Overloaded(self._limit)
        self._n_running += 1
        try:
            # Taken once: a swap meanwhile must not mix two versions.
            with self._holder.use(request.headers.get(shell.VERSION_HEADER) or None) as held:

                def work() -> Response:
                    if allowed_ms is not None and time.monotonic() - received_s >= allowed_ms / 1000:
                        raise DeadlinePassed(allowed_ms)
                    with span("score", {"version": held.version}):
                        answer = route.answer(held.model, held.version, message)
                    return respond(answer, version=held.version)

                if len(body) > MAX_INLINE_BODY_BYTES or route.is_slow(held.model, message):
                    return await asyncio.get_running_loop().run_in_executor(self._threads, work)
                return work()
        finally:
            self._n_running -= 1

    def close(self) -> None:
        """Wait for the threads to end."""
        self._threads.shutdown()


def limit_math_threads(options: ServerOptions) -> None:
    """Bound the threads that BLAS and FAISS start; OpenMP counts them anew in every thread that calls it."""
    threadpool_limits(options.math_threads)


def respond(message: BaseModel | bytes, *, version: str | None = None) -> Response:
    """A successful answer, a message or its JSON, naming the version that it was made from."""
    # model_dump_json would decode these very bytes to text first.
    body = message if isinstance(message, bytes) else message.__pydantic_serializer__.to_json(message)
    headers = None if version is None else {shell.VERSION_HEADER: version}
    return Response(body, headers=headers, media_type="application/json")


def _parse(route: ModelRoute[Any], body: bytes) -> shell.Request:
    try:
        return route.request.model_validate_json(body)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False, include_context=False)
        raise HTTPException(422, list_mistakes(mistakes[:MAX_MISTAKES_SHOWN])) from error


def _read_allowed_ms(header: str | None) -> int | None:
    """How long the caller waits from now; None if it does not say."""
    if header is None:
        return None
    if not header.isdecimal() or len(header) > MAX_DEADLINE_DIGITS:
        shown = f"{header[:40]!r}, not a whole number of milliseconds"
        raise HTTPException(422, f"header {shell.DEADLINE_HEADER} is {shown}")
    return int(header)
