"""The one interface of what counts requests, and what it counts them against."""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

_ROUNDING: Final = 1e-6
"""A request is not lost to the last digit of a float."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds: all of them at once, then one whenever its share has passed."""

    requests: int
    per_s: int

    @property
    def interval_s(self) -> float:
        return self.per_s / self.requests

    def count_left(self, taken: "Taken") -> int:
        """Requests that may follow at once."""
        return int((self.per_s - taken.full_in_s) / self.interval_s + _ROUNDING)


class Taken(NamedTuple):
    """What became of a request."""

    wait_s: float
    """Seconds after which it is within the rate; 0 if it is now, and then it is counted."""
    full_in_s: float
    """Seconds after which the key will have all of its requests again."""


class RequestCounts(Protocol):
    """Counts requests by key, by the generic cell rate algorithm: one number a key, and no window's edge.

    What it keeps is the moment at which a key will have all of its requests again. No method raises.
    """

    async def take(self, key: str, rate: Rate) -> Taken:
        """Count a request, if it is within the rate."""
        ...
