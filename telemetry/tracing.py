"""Traces: W3C trace context passed on always, spans recorded only if there is somewhere to send them."""

from collections.abc import Mapping
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from foundation.settings import find_variable
from foundation.urls import SecretBaseUrl

PROPAGATOR: Final = TraceContextTextMapPropagator()


class TracingNotInstalled(RuntimeError):
    """An address for traces is set, but the packages that send them are missing."""

    def __init__(self) -> None:
        super().__init__(
            f"{find_variable('telemetry', 'otlp_endpoint')} is set, but OpenTelemetry is not installed: "
            "pip install 'bookmesh[tracing]', or unset it"
        )


def open_tracing(process: str, endpoint: SecretBaseUrl | None) -> Tracer:
    """A tracer that sends spans in batches to an OTLP/HTTP collector; records nothing if `endpoint` is None.

    `endpoint` is the collector's base URL, such as http://127.0.0.1:4318. What is still buffered when the
    process exits is sent then. Raises TracingNotInstalled.
    """
    if endpoint is None:
        return NoOpTracer()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingNotInstalled from error
    provider = TracerProvider(resource=Resource.create({"service.name": f"bookmesh-{process}"}))
    base_url = str(endpoint.get_secret_value()).rstrip("/")
    exporter = OTLPSpanExporter(endpoint=f"{base_url}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer("bookmesh")


def extract_trace(headers: Mapping[bytes, bytes]) -> Context | None:
    """The trace that a request belongs to; None if its headers name none."""
    if b"traceparent" not in headers:
        return None
    return PROPAGATOR.extract({name.decode("latin-1"): headers[name].decode("latin-1") for name in headers})
