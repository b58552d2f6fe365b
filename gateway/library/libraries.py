"""Brings libraries of readers into the catalog, a few at a time: to match one takes a processor."""

from dataclasses import dataclass
from typing import Final

import anyio
from sqlalchemy.orm import Session

from catalog.errors import LibraryRowUnknown, SourceError
from catalog.headings import fill_headings, lacks_headings
from catalog.library.matching import Match, match_rows
from catalog.library.reading import Library, read_library
from catalog.library.review import Review, list_reviews
from catalog.library.writing import Outcome, settle_row, write_library
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import LibraryRowNotFound, LibraryUnreadable

MOST_AT_ONCE: Final = 2
"""Libraries that one gateway matches; others wait."""
TIMEOUT_S: Final = 30.0
"""So long one may take, which is ten times what 10,000 rows need."""
HEADINGS_AT_ONCE: Final = 10_000
"""So many are filled in before ratings may be written again, where a catalog lacks them."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A library that has been brought in."""

    library: Library
    outcome: Outcome


class Libraries:
    """What readers have exported elsewhere, read, matched and written."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._turns = anyio.Semaphore(MOST_AT_ONCE)

    async def bring(self, user_id: int, content: bytes) -> Brought:
        """Write a library in one transaction. Raises LibraryUnreadable, CatalogUnavailable."""

        def match(session: Session) -> tuple[Library, list[Match]]:
            library = read_library(content)
            return library, match_rows(session, library.rows)

        async with self._turns:
            deadline = Deadline.after(TIMEOUT_S)
            while await self._catalog.read(lacks_headings, deadline):
                await self._catalog.write(
                    lambda session: fill_headings(session.connection(), most=HEADINGS_AT_ONCE)
                )
            try:
                library, matches = await self._catalog.read(match, deadline)
            except SourceError as error:
                raise LibraryUnreadable(str(error)) from error
            outcome = await self._catalog.write(lambda session: write_library(session, user_id, matches))
        return Brought(library, outcome)

    async def list_reviews(
        self, user_id: int, limit: int, offset: int, deadline: Deadline
    ) -> tuple[int, list[Review]]:
        """How many rows wait for the reader, and a page of them."""
        return await self._catalog.read(
            lambda session: list_reviews(session, user_id, limit=limit, offset=offset), deadline
        )

    async def settle(self, user_id: int, row_id: int, book_id: int | None) -> None:
        """Write a row as the book that it is. Raises LibraryRowNotFound, BookNotFound."""
        try:
            await self._catalog.write(lambda session: settle_row(session, user_id, row_id, book_id))
        except LibraryRowUnknown as error:
            raise LibraryRowNotFound(row_id) from error
