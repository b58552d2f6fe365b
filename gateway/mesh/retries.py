"""How often requests may be sent once more: retries must not multiply the load on what is in trouble."""

from typing import Final

SHARE: Final = 0.1
"""Of all requests, over time."""


class RetryBudget:
    """So many retries at once, and one for every ten requests that were sent since."""

    def __init__(self, burst: int) -> None:
        self._burst = float(burst)
        self._left = self._burst

    @property
    def is_left(self) -> bool:
        """Whether a request may be sent once more."""
        return self._left >= 1

    def earn(self) -> None:
        """A request is sent for the first time."""
        self._left = min(self._burst, self._left + SHARE)

    def spend(self) -> None:
        """A request is sent once more."""
        self._left -= 1
