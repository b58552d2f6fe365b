"""The one deadline that all calls of a request share."""

import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock after which an answer is of no use."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """The deadline so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at_s - time.monotonic())

    def share(self, fraction: float) -> "Deadline":
        """A nearer deadline that leaves the rest of the time for a fallback."""
        return Deadline.after(self.remaining_s() * fraction)
