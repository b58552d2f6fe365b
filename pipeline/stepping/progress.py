"""How a training run reports what it is doing; the CLI draws it, tests and timers ignore it."""

from dataclasses import dataclass


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


class Progress:
    """Hears how far a run is. This one ignores it; others override what they draw or write down."""

    def step_started(self, number: int, name: str, data: str) -> None:
        """A step begins."""

    def step_advanced(self, share: float) -> None:
        """The running step has done this share of its work."""

    def step_finished(self, run: StepRun) -> None:
        """The running step is done."""
