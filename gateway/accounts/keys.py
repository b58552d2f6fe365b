"""Services by their keys: those that are good are read now and then, not at each request."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from catalog import keys
from catalog.tokens import hash_token
from gateway.accounts.callers import Service
from gateway.accounts.errors import Unauthenticated
from gateway.cache.single_flight import SingleFlight
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable

FRESH_S: Final = 1.0
"""So long a key that has been revoked may still be good."""
BELIEVED_S: Final = 15 * 60
"""So long keys stay good while the catalog does not tell, as access tokens do."""
PAUSE_S: Final = 0.02
"""Between two reads, so that made-up keys cost fifty a second at most, while a new one is good at once."""
NOTE_EVERY_S: Final = 60.0
"""Between two notes of when keys were used."""


class StoredKeys:
    """The good keys of the catalog, and when each was last used."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._good: Mapping[str, Service] = {}
        """By the digests of their keys: compared by these, a key tells nothing of those there are."""
        self._read_at_s = float("-inf")
        self._reading = SingleFlight[None]()
        self._used_at: dict[int, int] = {}
        """What has to be noted, by key_id."""

    async def find(self, key: str, deadline: Deadline) -> Service:
        """The service of a key. Raises Unauthenticated; CatalogUnavailable for one not seen lately."""
        digest, oldest_s = hash_token(key), time.monotonic()
        if digest in self._good:
            oldest_s -= FRESH_S
        try:
            while self._read_at_s < oldest_s:
                await self._reading.run("", lambda: self._read(deadline.share()))
        except CatalogUnavailable:
            if digest not in self._good or time.monotonic() - self._read_at_s > BELIEVED_S:
                raise
        service = self._good.get(digest)
        if service is None:
            raise Unauthenticated("no such key, or it was revoked")
        self._used_at[service.key_id] = int(time.time())
        return service

    async def note_used(self) -> None:
        """Note when keys were used since this was last called; later, if the catalog is away."""
        used_at, self._used_at = self._used_at, {}
        if not used_at:
            return
        try:
            await self._catalog.write(lambda session: keys.note_used(session, used_at))
        except CatalogUnavailable:
            self._used_at = used_at | self._used_at

    async def _read(self, deadline: Deadline) -> None:
        # Who comes while it rests shares the read.
        await asyncio.sleep(self._read_at_s + PAUSE_S - time.monotonic())
        begun_at_s = time.monotonic()
        found = await self._catalog.read(keys.read_good_keys, deadline)
        self._good = {
            digest: Service(key_id, name, frozenset(scopes.split()), rate)
            for digest, key_id, name, scopes, rate in found
        }
        self._read_at_s = begun_at_s
