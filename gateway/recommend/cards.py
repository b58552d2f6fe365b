"""What readers see of books: from the metadata server, or from SQL while that is unavailable."""

from collections.abc import Callable, Collection, Mapping

from catalog.books import BookRow
from contracts.metadata import BookCard
from foundation.recent import Recent
from gateway.catalog import Catalog
from gateway.errors import CatalogUnavailable
from gateway.mesh.errors import UpstreamError
from gateway.mesh.view import MeshView


class Cards:
    """Describes books; a card of a version never changes, so those used last are kept."""

    def __init__(
        self, catalog: Catalog, *, size: int, spare: Callable[[str | None], Mapping[int, BookCard]]
    ) -> None:
        """Keeps so many; `spare` has some of a version for when nobody answers."""
        self._catalog = catalog
        self._kept: Recent[tuple[str | None, int], BookCard] = Recent(size)
        self._spare = spare

    async def describe(
        self, view: MeshView, book_ids: Collection[int], degraded: set[str]
    ) -> dict[int, BookCard]:
        """Cards of the books that this version knows; without metadata from SQL, or else of popular books.

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
                if cards or len(unknown) == 1:
                    return cards  # one book may be too new for the version
        found = await self._describe_otherwise(unknown, view, degraded)
        if found:
            degraded.add("metadata")
        return cards | found

    async def _describe_otherwise(
        self, book_ids: Collection[int], view: MeshView, degraded: set[str]
    ) -> dict[int, BookCard]:
        try:
            rows = await self._catalog.read_titles(book_ids, view.deadline)
        except CatalogUnavailable as error:
            degraded.add(error.blamed)
            spare = self._spare(view.version)
            return {book_id: spare[book_id] for book_id in book_ids if book_id in spare}
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
