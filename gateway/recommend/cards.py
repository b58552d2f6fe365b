"""What readers see of books: from the metadata server, or from SQL while that is unavailable."""

from collections.abc import Collection

from catalog.books import BookRow
from contracts.metadata import BookCard
from foundation.recent import Recent
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable
from gateway.mesh.errors import UpstreamError
from gateway.mesh.view import MeshView


class Cards:
    """Describes books; a card of a version never changes, so those used last are kept."""

    def __init__(self, catalog: Catalog, *, size: int) -> None:
        self._catalog = catalog
        self._kept: Recent[tuple[str | None, int], BookCard] = Recent(size)

    async def describe(
        self, view: MeshView, book_ids: Collection[int], degraded: set[str]
    ) -> dict[int, BookCard]:
        """Cards of the books that this version knows; from SQL, if that answers, without metadata.

        Adds what it had to do without to `degraded`.
        """
        cards: dict[int, BookCard] = {}
        for book_id in book_ids:
            if (card := self._kept.get((view.version, book_id))) is not None:
                cards[book_id] = card
        unknown = [book_id for book_id in book_ids if book_id not in cards]
        if not unknown:
            return cards
        if "metadata" not in degraded:
            try:
                answer = await view.with_share().cards(unknown)
            except UpstreamError as error:
                degraded.add(error.blamed)
            else:
                for card in answer.cards:
                    self._kept.put((view.version, card.book_id), card)
                    cards[card.book_id] = card
                return cards
        return cards | await self._describe_from_sql(unknown, view.deadline, degraded)

    async def _describe_from_sql(
        self, book_ids: Collection[int], deadline: Deadline, degraded: set[str]
    ) -> dict[int, BookCard]:
        try:
            rows = await self._catalog.read_titles(book_ids, deadline)
        except CatalogUnavailable as error:
            degraded.add(error.blamed)
            return {}
        return {book_id: build_card(row) for book_id, row in rows.items()}


def build_card(row: BookRow) -> BookCard:
    """The card that SQL alone can give: without what only training counts."""
    return BookCard(
        book_id=row.book_id,
        title=row.title,
        authors=list(row.authors),
        year=row.year,
        language=row.language,
        isbns=list(row.isbns),
        main_subject=row.main_subject,
        subjects=list(row.subjects),
        description=row.description,
        n_ratings=0,
        mean_rating=None,
        n_pages=row.n_pages,
    )
