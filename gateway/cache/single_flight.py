"""Many requests for one key cost one computation: the first computes, the others wait for its answer."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

ValueT = TypeVar("ValueT")


@dataclass
class _Flight(Generic[ValueT]):
    computation: asyncio.Task[ValueT]
    n_waiting: int = 0


class SingleFlight(Generic[ValueT]):
    """The computations under way, one for each key."""

    def __init__(self) -> None:
        self._running: dict[str, _Flight[ValueT]] = {}

    async def run(self, key: str, compute: Callable[[], Coroutine[Any, Any, ValueT]]) -> ValueT:
        """The value of `compute`, or of the computation of this key that is already under way.

        It goes on if a waiting caller is cancelled, but for the last one. Everyone gets its exception.
        """
        flight = self._running.get(key)
        if flight is None:
            flight = self._running[key] = _Flight(asyncio.create_task(compute()))
            flight.computation.add_done_callback(lambda _: self._end(key, flight))
        flight.n_waiting += 1
        try:
            return await asyncio.shield(flight.computation)
        finally:
            flight.n_waiting -= 1
            if not flight.n_waiting and not flight.computation.done():
                self._forget(key, flight)  # at once: it has nothing for those who come now
                flight.computation.cancel()

    def _end(self, key: str, flight: _Flight[ValueT]) -> None:
        self._forget(key, flight)
        if not flight.computation.cancelled():
            flight.computation.exception()  # if every caller left, nobody else would retrieve it

    def _forget(self, key: str, flight: _Flight[ValueT]) -> None:
        if self._running.get(key) is flight:
            del self._running[key]
