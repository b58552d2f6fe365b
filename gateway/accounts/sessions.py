"""Whether the log-in that an access token came of still holds: looked up now and then, not each time."""

import time
from typing import Final

from cachetools import LRUCache

from catalog import tokens
from gateway.accounts.callers import Reader
from gateway.accounts.errors import Unauthenticated
from gateway.accounts.tokens import AccessTokens
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable

FRESH_S: Final = 5.0
"""So long another gateway may go on with a log-in that has been ended at this one."""
N_KEPT: Final = 10_000


class Sessions:
    """Readers by their access tokens."""

    def __init__(self, catalog: Catalog, access: AccessTokens) -> None:
        self._catalog = catalog
        self._access = access
        self._seen: LRUCache[str, tuple[Reader | None, float]] = LRUCache(N_KEPT)
        """What the catalog said of a log-in, and when; None: it was ended."""

    async def find(self, token: str, deadline: Deadline) -> Reader:
        """The reader with the role that they have now. Raises TokenExpired or Unauthenticated.

        While the catalog is away a reader's token is believed: all that is theirs comes from there. That of
        an admin, who may do more, is not: CatalogUnavailable.
        """
        claimed = self._access.read(token)
        reader, looked_at_s = self._seen.get(claimed.family_id, (claimed, float("-inf")))
        if time.monotonic() - looked_at_s >= FRESH_S:
            try:
                reader = await self._look_up(claimed, deadline)
            except CatalogUnavailable:
                if claimed.is_admin:
                    raise
                return claimed
        if reader is None:
            raise Unauthenticated("this log-in has been ended; log in again")
        return reader

    def forget_log_in(self, family_id: str) -> None:
        """Look a log-in up again, at the next request."""
        self._seen.pop(family_id, None)

    def forget(self, user_id: int) -> None:
        """Look a reader's log-ins up again, at the next request."""
        for family_id, (reader, _) in list(self._seen.items()):
            if reader is not None and reader.user_id == user_id:
                del self._seen[family_id]

    async def _look_up(self, claimed: Reader, deadline: Deadline) -> Reader | None:
        """The reader with the role that they have now; None if the log-in was ended."""
        role = await self._catalog.read(
            lambda session: tokens.read_role(session, claimed.user_id, claimed.family_id), deadline.share()
        )
        reader = None if role is None else Reader(claimed.user_id, role, claimed.family_id)
        self._seen[claimed.family_id] = reader, time.monotonic()
        return reader
