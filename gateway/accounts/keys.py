"""Services by their keys: looked up now and then, not at each request."""

import time
from typing import Final

from cachetools import LRUCache

from catalog import keys
from catalog.tokens import hash_token
from gateway.accounts.callers import Service
from gateway.accounts.errors import Unauthenticated
from gateway.catalog import Catalog
from gateway.deadline import Deadline

FRESH_S: Final = 1.0
"""So long a key that has been revoked may still be good."""
N_KEPT: Final = 1_000


class StoredKeys:
    """The keys of the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._seen: LRUCache[str, tuple[Service, float]] = LRUCache(N_KEPT)
        """What the catalog said of a good key, by its digest, and when."""

    async def find(self, key: str, deadline: Deadline) -> Service:
        """The service of a key. Raises Unauthenticated, or CatalogUnavailable for one not seen lately."""
        digest = hash_token(key)
        seen = self._seen.get(digest)
        if seen is not None and time.monotonic() - seen[1] < FRESH_S:
            return seen[0]
        found = await self._catalog.read(lambda session: keys.find_key(session, key), deadline)
        if found is None:
            self._seen.pop(digest, None)
            raise Unauthenticated("no such key, or it was revoked")
        service = Service(found.key_id, found.name, frozenset(found.scopes.split()), found.rate_per_minute)
        self._seen[digest] = service, time.monotonic()
        return service
