"""What the worker reads from the environment, and `bookmesh train --if-due`, which decides as it does."""

from datetime import time

from pydantic import PositiveInt

from catalog.settings import CatalogSettings
from contracts.shell import Host, Port
from foundation.settings import Options
from telemetry.settings import TelemetryOptions


class WorkerOptions(Options):
    """When it works, and where it answers probes."""

    with_mesh: bool = True
    """Whether `bookmesh up` starts it; another machine with the same artifacts may run it instead."""
    host: Host = "127.0.0.1"
    """Address that it answers probes on."""
    port: Port = 8106
    """Port that it answers probes on."""
    trains: bool = True
    """Whether it trains by itself when that is due; a timer with `bookmesh train --if-due` may instead."""
    night_at: time = time(3)
    """Local time at which a night has passed, so that a training is due."""
    new_ratings: PositiveInt = 10_000
    """So many ratings since the catalog was read for the newest training make one due at any time."""


class WorkerSettings(CatalogSettings):
    """Read once, at start-up."""

    telemetry: TelemetryOptions = TelemetryOptions()
    worker: WorkerOptions = WorkerOptions()
