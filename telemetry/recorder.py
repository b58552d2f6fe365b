"""Records spans with OpenTelemetry and sends them; `telemetry.tracing` imports this if an address is set.

Names and attributes are those of OpenTelemetry's semantic conventions, as its packages for FastAPI, httpx,
SQLAlchemy and Redis give them; docs/adr/0018-own-spans.md says why these are not used.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Engine, event

from foundation.release import RELEASE
from foundation.urls import SecretBaseUrl

PROPAGATOR: Final = TraceContextTextMapPropagator()


class Recorder:
    """Records and sends what it is told to; which traces that are, `telemetry.tracing` decides."""

    def __init__(self, process: str, endpoint: SecretBaseUrl, share: float | None) -> None:
        resource = Resource.create({"service.name": f"bookmesh-{process}", "service.version": RELEASE})
        self.share = share
        """Of the traces that come here so many are to be recorded; None: those that whoever calls records."""
        self._provider = TracerProvider(resource=resource)
        base_url = str(endpoint.get_secret_value()).rstrip("/")
        exporter = OTLPSpanExporter(endpoint=f"{base_url}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("bookmesh")

    def serving(self, name: str, context: Mapping[str, str]) -> AbstractContextManager[Span]:
        """A span of the trace that was sent, or of a new one."""
        parent = PROPAGATOR.extract(context) if context else None
        return self._tracer.start_as_current_span(name, parent, SpanKind.SERVER)

    def span(
        self, name: str, attributes: Mapping[str, str] | None, *, is_call: bool
    ) -> AbstractContextManager[object]:
        """A span below the current one, if that is recorded: whatever else costs next to nothing."""
        if not get_current_span().is_recording():
            return nullcontext()
        kind = SpanKind.CLIENT if is_call else SpanKind.INTERNAL
        return self._tracer.start_as_current_span(name, kind=kind, attributes=attributes)

    def headers(self) -> dict[str, str]:
        """What names the current span to another process; nothing if none is recorded."""
        headers: dict[str, str] = {}
        if get_current_span().is_recording():
            PROPAGATOR.inject(headers)
        return headers

    def trace_statements(self, engine: Engine) -> None:
        """A span for each statement, of the connection's dialect."""
        system = engine.dialect.name

        def begin(*arguments: Any) -> None:
            _, _, statement, _, context, _ = arguments
            if get_current_span().is_recording():
                attributes = {"db.system.name": system, "db.query.text": statement}
                name = statement.split(maxsplit=1)[0].upper()
                context.span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)

        def end(*arguments: Any) -> None:
            if (span := arguments[4].__dict__.pop("span", None)) is not None:
                span.end()

        def fail(failure: Any) -> None:
            if failure.execution_context is None:
                return
            if (span := failure.execution_context.__dict__.pop("span", None)) is not None:
                span.set_status(StatusCode.ERROR, type(failure.original_exception).__name__)
                span.end()

        event.listen(engine, "before_cursor_execute", begin)
        event.listen(engine, "after_cursor_execute", end)
        event.listen(engine, "handle_error", fail)

    def close(self) -> None:
        """Send what is buffered."""
        self._provider.shutdown()
