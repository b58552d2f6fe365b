"""Structured logs: JSON, one object a line, or columns when a person watches on a terminal."""

import logging
import sys
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from foundation.release import RELEASE

_facts: dict[str, str] = {"release": RELEASE}
"""Of this process, on every line. No context variables: a thread started later would not have them."""


def configure_logging(process: str, *, level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's lines of this process to `stream` (default stderr).

    Raises ValueError for an unknown level.
    """
    stream = stream or sys.stderr
    _facts["process"] = process
    threshold = logging.getLevelNamesMapping().get(level.upper())
    if threshold is None:
        raise ValueError(f"log level {level!r} is none of debug, info, warning, error, critical")
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.contextvars.merge_contextvars,
        _add_facts,
    ]
    rendering: list[Processor] = (
        [structlog.dev.ConsoleRenderer(pad_event_to=32, exception_formatter=structlog.dev.plain_traceback)]
        if stream.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_dump_json)]
    )
    structlog.configure(
        processors=[*shared, structlog.processors.StackInfoRenderer(), *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _route_standard_library(stream, threshold, shared, rendering)


def tell_version(version: str | None) -> None:
    """Name the version that this process answers from on every line, but where a line names another."""
    if version is None:
        _facts.pop("version", None)
    else:
        _facts["version"] = version


def _add_facts(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    return {**_facts, **event}


def _dump_json(event: EventDict, **_: object) -> str:
    # What JSON has no word for (a path, an exception) is logged as text rather than lost with the line.
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _route_standard_library(
    stream: TextIO, threshold: int, shared: list[Processor], rendering: list[Processor]
) -> None:
    """Let libraries that use `logging` (uvicorn, SQLAlchemy) come out in the same form."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(threshold, logging.INFO))  # debug is for our own lines: a library's would drown them
    # At info these tell of each migration looked at and each request made.
    for chatty in ("alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It quotes headers that it cannot read, and they are there for tokens; the collector's 401 is logged.
    logging.getLogger("opentelemetry.util.re").setLevel(logging.ERROR)
