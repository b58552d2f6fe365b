"""The one deadline that all that a request waits for shares, and what has used up the time."""

import time
from dataclasses import dataclass, field
from typing import Final, Self

TIME_SHARE: Final = 0.6
"""Share of the time left that may be spent on what has a fallback, so that this still has some."""
FAIR_S: Final = 0.05
"""Ten times what a call takes; whoever had less is not to blame that the time ran out."""


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock after which an answer is of no use."""

    at_s: float
    spent_s: dict[str, float] = field(default_factory=dict)
    """What the request has waited for so far, and how long; its shares add to the same."""

    @classmethod
    def after(cls, seconds: float) -> Self:
        """The deadline so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at_s - time.monotonic())

    def share(self) -> "Deadline":
        """A nearer deadline that leaves the rest of the time for a fallback."""
        return Deadline(time.monotonic() + self.remaining_s() * TIME_SHARE, self.spent_s)

    def charge(self, dependency: str, seconds: float) -> None:
        """Note what the time went to."""
        self.spent_s[dependency] = self.spent_s.get(dependency, 0.0) + seconds

    def find_slow(self, dependency: str, given_s: float) -> str:
        """Who is to blame if a dependency did not answer in that time: it, or what left no more."""
        slowest = max(self.spent_s, key=lambda name: self.spent_s[name], default=dependency)
        return dependency if given_s >= min(FAIR_S, self.spent_s.get(slowest, 0.0)) else slowest
