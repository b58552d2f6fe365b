"""What a check finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from catalog.settings import CatalogSettings
from gateway.settings import GatewaySettings
from notifications.settings import NotifySettings
from pipeline.settings import TrainSettings
from servers.shell.settings import ServerSettings
from worker.settings import WorkerSettings


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """All works, but may not for long, or not after an accident."""
    FAILED = "failed"
    """Something does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    check: str
    level: Level
    message: str
    remedy: str = ""
    """What to do; nothing if all is well."""


@dataclass(frozen=True)
class AllSettings:
    """What every process of a home reads."""

    gateway: GatewaySettings
    servers: ServerSettings
    worker: WorkerSettings
    train: TrainSettings
    notify: NotifySettings

    @property
    def catalog(self) -> CatalogSettings:
        """What all have that open the catalog."""
        return self.gateway


Check = Callable[[AllSettings], Iterable[Finding]]


def ok(check: str, message: str) -> Finding:
    """All is well there."""
    return Finding(check, Level.OK, message)


def warning(check: str, message: str, remedy: str) -> Finding:
    """It may not be well for long."""
    return Finding(check, Level.WARNING, message, remedy)


def failed(check: str, message: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, Level.FAILED, message, remedy)
