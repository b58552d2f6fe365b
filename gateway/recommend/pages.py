"""Pages of all books that pass some filters, in an order that no reader's taste decides."""

from collections.abc import Callable

from contracts.metadata import BookCard, BookFilters, BrowseRequest, Sort
from contracts.shell import MAX_BOOKS
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import NothingLeft
from gateway.mesh.errors import UpstreamError
from gateway.mesh.mesh import Mesh
from gateway.mesh.pinning import NO_VERSION
from gateway.mesh.view import MeshView
from gateway.recommend.cards import Cards
from gateway.recommend.list_ids import name_list
from gateway.recommend.snapshot import Snapshot
from gateway.schemas import BookPage, ListedBook


class Pages:
    """Reads pages from the metadata server, which knows every book of a version by heart."""

    def __init__(
        self, mesh: Mesh, catalog: Catalog, cards: Cards, find_snapshot: Callable[[], Snapshot]
    ) -> None:
        self._mesh = mesh
        self._catalog = catalog
        self._cards = cards
        self._find_snapshot = find_snapshot

    async def read(
        self, filters: BookFilters, *, sort: Sort, limit: int, offset: int, deadline: Deadline
    ) -> BookPage:
        """One page of the books that are shown now; of popular ones while metadata is away.

        Raises NothingLeft.
        """
        request = BrowseRequest(
            filters=filters, sort=sort, k=limit, offset=offset, exclude=sorted(self._not_shown())[:MAX_BOOKS]
        )
        try:
            return await self._mesh.at_one_version(deadline, lambda view: self._read(view, request))
        except UpstreamError as error:
            return self._read_snapshot(self._find_snapshot(), request, error.blamed)

    async def _read(self, view: MeshView, request: BrowseRequest) -> BookPage:
        found = await view.browse(request)
        degraded: set[str] = set()
        cards = await self._cards.describe(view, found.book_ids, degraded) if found.book_ids else {}
        not_shown = self._not_shown()  # the same, unless they are more than a request can name
        return BookPage(
            list_id=self._name(view.version_name, request),
            version=view.version_name,
            degraded=sorted(degraded),
            total=found.total,
            items=[
                _list(cards[book_id])
                for book_id in found.book_ids
                if book_id in cards and book_id not in not_shown
            ],
        )

    def _read_snapshot(self, snapshot: Snapshot, request: BrowseRequest, lost: str) -> BookPage:
        if not snapshot.books:
            raise NothingLeft([lost])
        not_shown, version = self._not_shown(), snapshot.version or NO_VERSION
        cards = [
            snapshot.cards[book.book_id]
            for book in snapshot.select(request.filters)
            if book.book_id not in not_shown
        ]
        if request.sort == "newest":
            cards.sort(key=lambda card: (card.year is None, -(card.year or 0)))
        elif request.sort == "title":
            cards.sort(key=lambda card: card.title)
        return BookPage(
            list_id=self._name(version, request),
            version=version,
            degraded=[lost],
            total=len(cards),
            items=[_list(card) for card in cards[request.offset : request.offset + request.k]],
        )

    def _name(self, version: str, request: BrowseRequest) -> str:
        return name_list("books", "browse", version, self._catalog.state, request.model_dump_json())

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
