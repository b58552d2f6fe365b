"""How a process that serves reports on itself."""

from typing import Literal

from foundation.settings import Options
from foundation.urls import SecretBaseUrl


class TelemetryOptions(Options):
    """Logs and traces."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The gateway logs every request at info, model servers log successful ones at debug."""
    otlp_endpoint: SecretBaseUrl | None = None
    """Base URL of an OpenTelemetry collector (OTLP over HTTP); traces are recorded only if it is set."""
