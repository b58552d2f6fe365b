"""The server that runs every HTTP process of ours: uvicorn's, which settles when it has started."""

import gc
from socket import socket
from typing import Final

import uvicorn

YOUNG: Final = 5_000
"""Objects that are made and kept until the garbage collector looks through them: what thirty lists leave."""
YOUNG_SEARCHES: Final = 50
"""Searches of the young until those that survived one are looked through, and of these until all are."""


class SettlingServer(uvicorn.Server):
    """Spares what was made to serve the searches for garbage: it lives as long as the process.

    With 270,000 objects one of them takes 180 ms, for which all readers wait, and comes every 300 lists.
    """

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start to answer."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, YOUNG_SEARCHES, YOUNG_SEARCHES)
