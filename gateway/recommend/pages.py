"""Pages of all books that pass some filters, in an order that no reader's taste decides."""

from contracts.metadata import BookCard, BookFilters, BrowseRequest, Sort
from contracts.shell import MAX_BOOKS
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.mesh.mesh import Mesh
from gateway.mesh.view import MeshView
from gateway.recommend.cards import Cards
from gateway.recommend.list_ids import name_list
from gateway.schemas import BookPage, ListedBook


class Pages:
    """Reads pages from the metadata server, which knows every book of a version by heart."""

    def __init__(self, mesh: Mesh, catalog: Catalog, cards: Cards) -> None:
        self._mesh = mesh
        self._catalog = catalog
        self._cards = cards

    async def read(
        self, filters: BookFilters, *, sort: Sort, limit: int, offset: int, deadline: Deadline
    ) -> BookPage:
        """One page, without the books that are hidden or part of others by now. Raises UpstreamError."""
        request = BrowseRequest(
            filters=filters, sort=sort, k=limit, offset=offset, exclude=sorted(self._not_shown())[:MAX_BOOKS]
        )
        return await self._mesh.at_one_version(deadline, lambda view: self._read(view, request))

    async def _read(self, view: MeshView, request: BrowseRequest) -> BookPage:
        found = await view.browse(request)
        degraded: set[str] = set()
        cards = await self._cards.describe(view, found.book_ids, degraded) if found.book_ids else {}
        not_shown = self._not_shown()  # the same, unless they are more than a request can name
        return BookPage(
            list_id=name_list(
                "books", "browse", view.version_name, self._catalog.state, request.model_dump_json()
            ),
            version=view.version_name,
            degraded=sorted(degraded),
            total=found.total,
            items=[
                _list(cards[book_id])
                for book_id in found.book_ids
                if book_id in cards and book_id not in not_shown
            ],
        )

    def _not_shown(self) -> frozenset[int]:
        return self._catalog.withdrawn.union(self._catalog.heirs)


def _list(card: BookCard) -> ListedBook:
    return ListedBook(
        book_id=card.book_id,
        title=card.title,
        authors=card.authors,
        year=card.year,
        n_pages=card.n_pages,
        isbns=card.isbns,
        main_subject=card.main_subject,
    )
