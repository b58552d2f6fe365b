"""The one interface of what counts requests, and what it counts them against."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds: all of them at once, then one whenever its share has passed."""

    requests: int
    per_s: int

    @property
    def interval_s(self) -> float:
        return self.per_s / self.requests


class RequestCounts(Protocol):
    """Counts requests by key, by the generic cell rate algorithm: one number a key, and no window's edge.

    What it keeps is the moment at which a key will have all of its requests again. No method raises.
    """

    async def take(self, key: str, rate: Rate) -> float:
        """Seconds after which a request is within the rate; 0 if it is now, and then it is counted."""
        ...
