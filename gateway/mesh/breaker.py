"""A circuit breaker: a server that keeps failing gets no requests for a while, then one to try."""

import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


class CircuitBreaker:
    """Opens after `failures` in a row; `open_s` seconds later lets one request through to try.

    After `allows` let a request through, exactly one of `succeeded`, `failed` and `abandoned` is called.
    `tell` hears with each change whether it is open.
    """

    def __init__(
        self,
        *,
        failures: int,
        open_s: float,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[bool], None] = lambda is_open: None,
    ) -> None:
        self._limit = failures
        self._open_s = open_s
        self._clock = clock
        self._tell = tell
        self._failures = 0
        self._retry_at_s = 0.0
        self._trying = False

    @property
    def state(self) -> BreakerState:
        """`closed` lets all through, `open` none, `half_open` one at a time."""
        if self._failures < self._limit:
            return "closed"
        return "half_open" if self._clock() >= self._retry_at_s else "open"

    def allows(self) -> bool:
        """Whether a request may go through now; in `half_open` the one that may becomes the trial."""
        state = self.state
        if state == "half_open" and not self._trying:
            self._trying = True
            return True
        return state == "closed"

    def succeeded(self) -> None:
        """A request was answered: all may pass again."""
        if self._failures >= self._limit:
            self._tell(False)
        self._failures = 0
        self._trying = False

    def failed(self) -> None:
        """A request was not answered: one more in the row, and a trial that fails opens the breaker again."""
        self._failures += 1
        self._trying = False
        if self._failures >= self._limit:
            self._retry_at_s = self._clock() + self._open_s
            self._tell(True)

    def abandoned(self) -> None:
        """A request ended without a verdict on the server: another may be the trial."""
        self._trying = False
