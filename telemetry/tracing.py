"""Traces: W3C trace context passed on always, spans recorded only if there is somewhere to send them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from foundation.settings import find_variable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The `traceparent` header that requests made now should carry; None outside any trace."""

Attribute = str | int | float | bool


class TracingNotInstalled(RuntimeError):
    """An address for traces is set, but the packages that send them are missing."""

    def __init__(self) -> None:
        super().__init__(
            f"{find_variable('telemetry', 'otlp_endpoint')} is set, but OpenTelemetry is not installed: "
            "pip install 'bookmesh[tracing]', or unset it"
        )


class Tracing:
    """Hands out spans; without a provider a span costs two context variable writes and records nothing."""

    def __init__(self, provider: "TracerProvider | None" = None) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("bookmesh") if provider else None

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: Literal["server", "client", "internal"] = "internal",
        parent: str | None = None,
        **attributes: Attribute,
    ) -> Iterator[dict[str, Attribute]]:
        """A span around the block, child of `parent` (a traceparent) or else of the span around it.

        The yielded dict takes attributes known only at the end. An exception that leaves the block marks the
        span as failed.
        """
        parent = parent or TRACEPARENT.get()
        if self._tracer is None:
            token = TRACEPARENT.set(parent)
            try:
                yield {}
            finally:
                TRACEPARENT.reset(token)
            return
        with self._record(name, kind, parent, attributes) as late:
            yield late

    def close(self) -> None:
        """Send what is still buffered, and stop."""
        if self._provider is not None:
            self._provider.shutdown()

    @contextmanager
    def _record(
        self, name: str, kind: str, parent: str | None, attributes: dict[str, Attribute]
    ) -> Iterator[dict[str, Attribute]]:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        propagator = TraceContextTextMapPropagator()
        context = propagator.extract({"traceparent": parent} if parent else {})
        assert self._tracer is not None
        with self._tracer.start_as_current_span(
            name, context=context, kind=SpanKind[kind.upper()], attributes=attributes
        ) as span:
            headers: dict[str, str] = {}
            propagator.inject(headers)
            token = TRACEPARENT.set(headers.get("traceparent"))
            late: dict[str, Attribute] = {}
            try:
                yield late
            finally:
                span.set_attributes(late)
                TRACEPARENT.reset(token)


def open_tracing(process: str, endpoint: str | None) -> Tracing:
    """Tracing that sends spans in batches to an OTLP/HTTP collector; records nothing if `endpoint` is None.

    `endpoint` is the collector's base URL, such as http://127.0.0.1:4318. Raises TracingNotInstalled.
    """
    if endpoint is None:
        return Tracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingNotInstalled from error
    provider = TracerProvider(resource=Resource.create({"service.name": f"bookmesh-{process}"}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)
