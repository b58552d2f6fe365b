"""Many requests for one key cost one computation: the first computes, the others wait for its answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class SingleFlight(Generic[ValueT]):
    """Computations under way, by key."""

    def __init__(self) -> None:
        self._flights: dict[str, asyncio.Task[ValueT]] = {}

    async def run(self, key: str, compute: Callable[[], Awaitable[ValueT]]) -> ValueT:
        """The value of `compute`, or of the computation of this key that is already under way.

        It goes on if a waiting caller is cancelled, since others may be waiting. Everyone gets its exception.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(_as_coroutine(compute))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(flight)

    def _land(self, key: str, flight: asyncio.Task[ValueT]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # if every caller left, nobody else would look at it


async def _as_coroutine(compute: Callable[[], Awaitable[ValueT]]) -> ValueT:
    return await compute()
