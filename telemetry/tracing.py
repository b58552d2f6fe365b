"""Traces: a caller's W3C trace context is always passed on; spans are recorded if they can be sent somewhere.

Nothing of OpenTelemetry is imported unless an address is set.
"""

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


def open_tracing(process: str, options: TelemetryOptions) -> None:
    """Record spans from now on, and send them in batches to the collector of the settings, if there is one.

    What is still buffered when the process exits is sent then. Raises TracingNotInstalled.
    """
    global _recorder
    close_tracing()
    if options.otlp_endpoint is None:
        return
    try:
        from telemetry.recorder import Recorder
    except ImportError as error:
        raise TracingNotInstalled from error
    _recorder = Recorder(process, options.otlp_endpoint, options.trace_share)


def close_tracing() -> None:
    """Send what is buffered, and record no more."""
    global _recorder
    if _recorder is not None:
        _recorder.close()
    _recorder = None


@contextmanager
def recording(name: str, options: TelemetryOptions) -> Iterator[None]:
    """Do the block, the work of a command, as a trace of its own. Raises TracingNotInstalled."""
    open_tracing(name, options)
    try:
        with serving(name, {}):
            yield
    finally:
        close_tracing()


@contextmanager
def serving(name: str, headers: Mapping[bytes, bytes]) -> Iterator["Span | None"]:
    """Do the block as part of the trace that the headers name, or of a new one; its span, if recorded."""
    if _recorder is not None:
        with _recorder.serving(name, headers) as span:
            yield span if span.is_recording() else None
        return
    found = TRACEPARENT.fullmatch(headers.get(b"traceparent", b""))
    token = _passed_on.set(_decode(headers) if found else {})
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
    return dict(_passed_on.get()) if _recorder is None else _recorder.headers()


def trace_id() -> str | None:
    """The trace that is going on, in hex."""
    if _recorder is not None:
        return _recorder.trace_id()
    headers = _passed_on.get()
    return headers["traceparent"].split("-")[1] if headers else None


def trace_statements(engine: "Engine") -> None:
    """Record each SQL statement, without its values."""
    if _recorder is not None:
        _recorder.trace_statements(engine)


def _decode(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name: headers[key].decode("latin-1") for name, key in _NAMES if key in headers}


_NAMES: Final = (("traceparent", b"traceparent"), ("tracestate", b"tracestate"))
