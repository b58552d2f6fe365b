"""Popular books that the gateway keeps for when no server is available."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

import structlog

from contracts.metadata import ALL_BOOKS, BookCard, BookFilters
from foundation.text import STOP_WORDS, split_words, strip_accents
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable
from gateway.mesh.errors import MeshError
from gateway.mesh.mesh import Mesh
from gateway.mesh.view import MeshView
from gateway.recommend.blend import as_scored
from gateway.recommend.cards import build_card
from gateway.recommend.threshold import Scored
from middleware.background import Background

CHUNK: Final = 500
"""Books fetched at once, so that parsing them holds up no request for long."""
TIMEOUT_S: Final = 5.0
FIRST_TIMEOUT_S: Final = 1.0
"""The gateway waits for the first snapshot before it serves; SQL's will do until the next attempt."""
CHECK_INTERVAL_S: Final = 0.5

log = structlog.get_logger()


@dataclass(frozen=True)
class Snapshot:
    """The most popular books with their cards, all of one version; of SQL's counts if it is None."""

    version: str | None
    books: tuple[Scored, ...]
    cards: Mapping[int, BookCard]
    catalog: str | None = None
    """The state of the catalog that it was taken of, if that was SQL."""

    def select(self, filters: BookFilters) -> Sequence[Scored]:
        """Its books that pass the filters."""
        if filters == ALL_BOOKS:
            return self.books
        return [book for book in self.books if _passes(self.cards[book.book_id], filters)]

    def search(self, text: str, filters: BookFilters = ALL_BOOKS) -> Sequence[Scored]:
        """Its books that have words of a text, scored by the share of those words that they have."""
        words = set(split_words(text))
        wanted = (words - STOP_WORDS) or words
        found = [
            Scored(book.book_id, len(wanted & self._words[book.book_id]) / len(wanted))
            for book in self.select(filters)
            if not wanted.isdisjoint(self._words[book.book_id])
        ]
        return sorted(found, key=lambda book: -book.score)

    @cached_property
    def _words(self) -> Mapping[int, frozenset[str]]:
        return {
            book_id: frozenset(split_words(" ".join([card.title, *card.authors, *card.subjects])))
            for book_id, card in self.cards.items()
        }


def _passes(card: BookCard, filters: BookFilters) -> bool:
    """As the metadata server has it."""

    def is_one_of(name: str | None, names: Collection[str]) -> bool:
        return name is None or _fold(name) in map(_fold, names)

    first, last = filters.year_from, filters.year_to
    return (
        (first is None or (card.year is not None and card.year >= first))
        and (last is None or (card.year is not None and card.year <= last))
        and is_one_of(filters.subject, card.subjects)
        and is_one_of(filters.author, card.authors)
        and is_one_of(filters.language, [card.language] if card.language else [])
    )


def _fold(name: str) -> str:
    return strip_accents(name).casefold()


EMPTY: Final = Snapshot(version=None, books=(), cards={})


class SnapshotKeeper:
    """Takes a snapshot of every version that is pinned; on a cold start without servers, of SQL."""

    def __init__(self, mesh: Mesh, catalog: Catalog, *, n_books: int) -> None:
        self.snapshot = EMPTY
        self._mesh = mesh
        self._catalog = catalog
        self._n_books = n_books

    async def start(self, background: Background) -> None:
        """Take the first snapshot from wherever one is to be had, then keep it up to date."""
        await self._refresh(FIRST_TIMEOUT_S)
        background.repeat("keep snapshot", partial(self._refresh, TIMEOUT_S), every_s=CHECK_INTERVAL_S)

    def cards_of(self, version: str | None) -> Mapping[int, BookCard]:
        """The cards of the snapshot, if it is of this version."""
        return self.snapshot.cards if self.snapshot.version == version else {}

    async def _refresh(self, timeout_s: float) -> None:
        await self._catalog.look(Deadline.after(timeout_s))
        if self._mesh.pinned is not None and self._mesh.pinned != self.snapshot.version:
            try:
                self.snapshot = await self._mesh.at_one_version(Deadline.after(timeout_s), self._take)
            except MeshError as error:
                log.info("snapshot_not_taken", error=str(error))
            else:
                log.info("snapshot_taken", version=self.snapshot.version, books=len(self.snapshot.books))
        is_of_another = self.snapshot.version is None and self.snapshot.catalog != self._catalog.state
        if not self.snapshot.books or is_of_another:
            await self._take_from_sql(Deadline.after(timeout_s))

    async def _take(self, view: MeshView) -> Snapshot:
        books: list[Scored] = []
        cards: dict[int, BookCard] = {}
        for offset in range(0, self._n_books, CHUNK):
            page = await view.popular(CHUNK, offset=offset)
            if page.book_ids:
                answer = await view.cards(page.book_ids)
                cards |= {card.book_id: card for card in answer.cards}
                books += [book for book in as_scored(page) if book.book_id in cards]
            if len(page.book_ids) < CHUNK:
                break
        return Snapshot(view.version, tuple(books), cards)

    async def _take_from_sql(self, deadline: Deadline) -> None:
        state = self._catalog.state
        try:
            counts = await self._catalog.read_most_read(self._n_books, deadline)
            rows = await self._catalog.read_titles([book_id for book_id, _ in counts], deadline)
        except CatalogUnavailable as error:
            log.warning("snapshot_not_taken", error=str(error))
            return
        most = math.log1p(max((count for _, count in counts), default=1)) or 1.0
        books = tuple(Scored(book_id, math.log1p(count) / most) for book_id, count in counts)
        cards = {book_id: build_card(row) for book_id, row in rows.items()}
        self.snapshot = Snapshot(None, books, cards, state)
