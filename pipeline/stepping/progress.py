"""How a training run reports what it is doing; the CLI draws it, tests and timers ignore it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StepRun:
    """One finished step."""

    number: int
    name: str
    data: str
    """What it ran on: `all`, or the `train` or `inner` fold."""
    seconds: float
    reused: bool
    """True if an earlier run had left the result."""


class Progress(Protocol):
    """What wants to know how far a run is."""

    def step_started(self, number: int, name: str, data: str) -> None:
        """A step begins."""

    def step_advanced(self, share: float) -> None:
        """The running step has done this share of its work."""

    def step_finished(self, run: StepRun) -> None:
        """The running step is done."""


class Silent:
    """Reports to nobody."""

    def step_started(self, number: int, name: str, data: str) -> None:
        """Say nothing."""

    def step_advanced(self, share: float) -> None:
        """Say nothing."""

    def step_finished(self, run: StepRun) -> None:
        """Say nothing."""
