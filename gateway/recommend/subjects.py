"""The catalog's subjects, kept in the process: to list them, and to recognise those that clients name."""

import time
from collections.abc import Sequence
from typing import Final

from rapidfuzz import process

from catalog.subjects import SubjectRow
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable, UnknownSubjects

FRESH_FOR_S: Final = 60.0
N_SUGGESTIONS: Final = 3
SIMILAR_ENOUGH: Final = 60.0
"""Of RapidFuzz's 100."""


class Subjects:
    """Knows all subjects; reads them again after a minute or an import, or when a client names another."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._rows: list[SubjectRow] = []
        self._names: dict[str, str] = {}
        self._read_at_s = float("-inf")
        self._state: str | None = None

    async def find(
        self, *, prefix: str, limit: int, offset: int, deadline: Deadline
    ) -> tuple[list[SubjectRow], int]:
        """Subjects that begin with `prefix`, in any case, the largest first; and how many there are in all.

        Raises CatalogUnavailable only if they could never be read.
        """
        await self._refresh(FRESH_FOR_S, deadline)
        wanted = prefix.casefold()
        found = [row for row in self._rows if row.name.casefold().startswith(wanted)]
        return found[offset : offset + limit], len(found)

    async def resolve(self, names: Sequence[str], deadline: Deadline) -> list[str]:
        """The subjects as the catalog spells them, each once. Raises UnknownSubjects.

        While the catalog is unavailable and was never read, as the client spells them.
        """
        try:
            await self._refresh(0.0 if self._unknown(names) else FRESH_FOR_S, deadline.share())
        except CatalogUnavailable:
            return list(dict.fromkeys(names))
        if unknown := self._unknown(names):
            raise UnknownSubjects(unknown, {name: self._suggest(name) for name in unknown})
        return list(dict.fromkeys(self._names[name.casefold()] for name in names))

    async def _refresh(self, fresh_for_s: float, deadline: Deadline) -> None:
        is_fresh = time.monotonic() - self._read_at_s < fresh_for_s
        if is_fresh and self._state == self._catalog.state:
            return
        state = self._catalog.state
        try:
            self._rows = await self._catalog.read_subjects(deadline)
        except CatalogUnavailable:
            if not self._rows:
                raise
            return
        self._names = {row.name.casefold(): row.name for row in self._rows}
        self._read_at_s, self._state = time.monotonic(), state

    def _unknown(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if name.casefold() not in self._names]

    def _suggest(self, name: str) -> list[str]:
        nearest = process.extract(
            name.casefold(), self._names.keys(), limit=N_SUGGESTIONS, score_cutoff=SIMILAR_ENOUGH
        )
        return [self._names[key] for key, _, _ in nearest]
