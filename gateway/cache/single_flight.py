"""Many requests for one key cost one computation: the first computes, the others wait for its answer."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

ValueT = TypeVar("ValueT")


class SingleFlight(Generic[ValueT]):
    """The computations under way, one for each key."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[ValueT]] = {}

    async def run(self, key: str, compute: Callable[[], Coroutine[Any, Any, ValueT]]) -> ValueT:
        """The value of `compute`, or of the computation of this key that is already under way.

        It goes on if a waiting caller is cancelled, since others may be waiting. Everyone gets its exception.
        """
        computation = self._running.get(key)
        if computation is None:
            computation = asyncio.create_task(compute())
            self._running[key] = computation
            computation.add_done_callback(lambda ended: self._forget(key, ended))
        return await asyncio.shield(computation)

    def _forget(self, key: str, ended: asyncio.Task[ValueT]) -> None:
        del self._running[key]
        if not ended.cancelled():
            ended.exception()  # if every caller left, nobody else would retrieve it
