"""What a model server reads from the environment."""

from pydantic import PositiveFloat, PositiveInt

from contracts.shell import DEFAULT_PORTS, Host, Port, ServerName
from foundation.settings import Options, ProcessSettings
from middleware.settings import ConnectionLimits
from telemetry.settings import TelemetryOptions


class ServerPorts(Options):
    """Port of each model server; 0 lets the system choose."""

    embedder: Port = DEFAULT_PORTS["embedder"]
    similarity: Port = DEFAULT_PORTS["similarity"]
    als: Port = DEFAULT_PORTS["als"]
    metadata: Port = DEFAULT_PORTS["metadata"]
    semantic: Port = DEFAULT_PORTS["semantic"]


class ServerOptions(Options):
    """The same for all five servers of a host."""

    host: Host = "127.0.0.1"
    """Address that the model servers listen on."""
    ports: ServerPorts = ServerPorts()
    pointer_poll_s: PositiveFloat = 0.5
    """Seconds between two looks at the version pointer."""
    keep_previous_s: PositiveFloat = 60.0
    """Seconds that a replaced version stays, from its replacement or from when a gateway last named it."""
    load_retry_s: PositiveFloat = 30.0
    """Seconds until a version that failed to load is tried again."""
    max_body_bytes: PositiveInt = 1 << 20
    """Largest request body; 10,000 books of history and as many to exclude fit."""
    concurrency: PositiveInt = 64
    """Requests answered at once; more are refused with 503 and Retry-After."""
    connections: ConnectionLimits = ConnectionLimits()
    worker_threads: PositiveInt = 2
    """Threads for answers that take milliseconds."""
    math_threads: PositiveInt = 1
    """Threads of BLAS and OpenMP in each of those; more only help a server that has the machine to itself."""
    gunicorn_workers: PositiveInt = 1
    """Processes of each server that answer on its socket, where `bookmesh serve` runs it."""
    drain_s: PositiveInt = 10
    """Seconds that requests may still take once the server has to stop."""

    def port(self, name: ServerName) -> int:
        port: int = getattr(self.ports, name)
        return port


class ServerSettings(ProcessSettings):
    """Read once, at start-up."""

    telemetry: TelemetryOptions = TelemetryOptions()
    servers: ServerOptions = ServerOptions()
