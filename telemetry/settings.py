"""How a process that serves reports on itself."""

from typing import Annotated, Literal

from pydantic import Field

from foundation.settings import Options
from foundation.urls import SecretBaseUrl


class TelemetryOptions(Options):
    """Logs and traces."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The gateway logs every request at info, model servers log successful ones at debug."""
    otlp_endpoint: SecretBaseUrl | None = None
    """Base URL of an OpenTelemetry collector (OTLP over HTTP); traces are recorded only if it is set."""
    trace_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the requests whose traces are recorded, whether they bring a `traceparent` or not."""
