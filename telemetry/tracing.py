"""Traces: a caller's W3C trace context is always passed on; spans are recorded if they can be sent somewhere.

Nothing of OpenTelemetry is imported unless an address is set.
"""

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from foundation.settings import find_variable
from telemetry.settings import TelemetryOptions

if TYPE_CHECKING:
    from opentelemetry.trace import Span
    from sqlalchemy import Engine

    from telemetry.recorder import Recorder

TRACEPARENT: Final = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
CONTEXT_HEADERS: Final = (b"traceparent", b"tracestate")
NOTHING: Final = nullcontext()

_recorder: "Recorder | None" = None
_passed_on: ContextVar[Mapping[str, str]] = ContextVar("passed_on", default=MappingProxyType({}))


class TracingNotInstalled(RuntimeError):
    """An address for traces is set, but the packages that send them are missing."""

    def __init__(self) -> None:
        super().__init__(
            f"{find_variable('telemetry', 'otlp_endpoint')} is set, but OpenTelemetry is not installed: "
            "pip install 'bookmesh[tracing]', or unset it"
        )


def open_tracing(process: str, options: TelemetryOptions, *, begins: bool = True) -> None:
    """Record spans from now on, and send them in batches to the collector of the settings, if there is one.

    Where traces begin, at the gateway, so many as the settings say: a stranger may forbid to record, and not
    ask for it. Elsewhere those that whoever calls records. What is still buffered when the process exits is
    sent then. Raises TracingNotInstalled.
    """
    global _recorder
    close_tracing()
    if options.otlp_endpoint is None:
        return
    try:
        from telemetry.recorder import Recorder
    except ImportError as error:
        raise TracingNotInstalled from error
    _recorder = Recorder(process, options.otlp_endpoint, options.trace_share if begins else None)


def close_tracing() -> None:
    """Send what is buffered, and record no more."""
    global _recorder
    if _recorder is not None:
        _recorder.close()
    _recorder = None


@contextmanager
def recording(name: str, options: TelemetryOptions) -> Iterator[None]:
    """Do the block, the work of a command, as a trace of its own. Raises TracingNotInstalled."""
    open_tracing(name, options.model_copy(update={"trace_share": 1.0}))  # there is one a night
    try:
        with serving(name, {}):
            yield
    finally:
        close_tracing()


@contextmanager
def serving(name: str, headers: Mapping[bytes, bytes]) -> Iterator["Span | None"]:
    """Do the block as part of the trace that the headers name, or of a new one; its span, if recorded."""
    sent = _read_context(headers)
    if _recorder is not None and _is_recorded(sent, _recorder.share):
        with _recorder.serving(name, sent) as span:
            yield span
        return
    token = _passed_on.set(sent if _recorder is None else _mark_unrecorded(sent))
    try:
        yield None
    finally:
        _passed_on.reset(token)


def span(
    name: str, attributes: Mapping[str, str] | None = None, *, is_call: bool = False
) -> AbstractContextManager[object]:
    """Record the block as a part of what is recorded around it, if anything is."""
    return NOTHING if _recorder is None else _recorder.span(name, attributes, is_call=is_call)


def trace_headers() -> dict[str, str]:
    """What a call to another process must say, for its spans to belong to the same trace."""
    recorded = {} if _recorder is None else _recorder.headers()
    return recorded or dict(_passed_on.get())


def trace_id() -> str | None:
    """The trace that is going on, in hex."""
    headers = trace_headers()
    return headers["traceparent"].split("-")[1] if headers else None


def trace_statements(engine: "Engine") -> None:
    """Record each SQL statement, without its values."""
    if _recorder is not None:
        _recorder.trace_statements(engine)


def _read_context(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """`traceparent` and `tracestate` of a request; nothing if they are missing or malformed."""
    if TRACEPARENT.fullmatch(headers.get(b"traceparent", b"")) is None:
        return {}
    return {name.decode(): headers[name].decode("latin-1") for name in CONTEXT_HEADERS if name in headers}


def _is_recorded(sent: Mapping[str, str], share: float | None) -> bool:
    """The last bit of a context tells whether whoever sent it records; without a share that alone decides."""
    may_be = not sent or int(sent["traceparent"][-2:], 16) & 1 == 1
    return bool(sent) and may_be if share is None else may_be and random.random() < share  # noqa: S311


def _mark_unrecorded(sent: Mapping[str, str]) -> dict[str, str]:
    """What tells whoever is called not to record, nor to begin a trace."""
    if sent:
        return {**sent, "traceparent": f"{sent['traceparent'][:-2]}00"}
    trace, parent = random.getrandbits(128) | 1, random.getrandbits(64) | 1
    return {"traceparent": f"00-{trace:032x}-{parent:016x}-00"}
