"""What a model server reads from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.shell import DEFAULT_PORTS, ServerName


class ServerSettings(BaseSettings):
    """Read once, at start-up; the same environment serves all five servers of a host."""

    model_config = SettingsConfigDict(env_prefix="BOOKMESH_", frozen=True, extra="ignore")

    home: Path = Path(".bookmesh")
    """Folder whose `artifacts/` holds the versions to serve."""
    server_host: str = "127.0.0.1"
    """Address that the model servers listen on."""
    embedder_port: int = Field(default=DEFAULT_PORTS["embedder"], ge=0, le=65535)
    similarity_port: int = Field(default=DEFAULT_PORTS["similarity"], ge=0, le=65535)
    als_port: int = Field(default=DEFAULT_PORTS["als"], ge=0, le=65535)
    metadata_port: int = Field(default=DEFAULT_PORTS["metadata"], ge=0, le=65535)
    semantic_port: int = Field(default=DEFAULT_PORTS["semantic"], ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Successful requests to model servers are logged at debug."""
    otlp_endpoint: str | None = None
    """Base URL of an OpenTelemetry collector (OTLP over HTTP); traces are recorded only if it is set."""
    pointer_poll_s: PositiveFloat = 0.5
    """Seconds between two looks at the version pointer."""
    keep_previous_s: PositiveFloat = 60.0
    """Seconds that a replaced version stays, counted from its replacement or its last pinned request."""
    load_retry_s: PositiveFloat = 30.0
    """Seconds until a version that failed to load is tried again."""
    max_body_bytes: PositiveInt = 1 << 20
    """Largest request body; 10,000 books of history and as many to exclude fit."""
    max_concurrent_requests: PositiveInt = 64
    """Requests answered at once; more are refused with 503 and Retry-After."""
    worker_threads: PositiveInt = 2
    """Threads for answers that take milliseconds."""
    math_threads: PositiveInt = 1
    """Threads of BLAS and OpenMP in each of those; more only help a server that has the machine to itself."""
    drain_s: PositiveInt = 10
    """Seconds that requests may still take once the server is told to stop."""

    def port(self, name: ServerName) -> int:
        """The port of one server; 0 lets the system choose."""
        port: int = getattr(self, f"{name}_port")
        return port

    @property
    def artifacts_root(self) -> Path:
        """Root folder of the artifact store."""
        return self.home / "artifacts"
