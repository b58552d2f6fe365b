"""Single books: everything known of one, and why one suits a reader."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from msgspec.structs import asdict

from catalog.users import UserProfile
from contracts import als
from contracts.shell import MAX_BOOKS, SERVER_NAMES, ServerName, VersionsResponse
from foundation.serving_rules import ServingRules
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import BookNotFound, CatalogUnavailable, NothingLeft
from gateway.mesh.errors import UpstreamError, UpstreamRefused
from gateway.mesh.mesh import Mesh
from gateway.mesh.view import MeshView
from gateway.recommend.cards import Cards, build_card
from gateway.schemas import BookDetail, Explanation, ModelInfo, Reason

AnswerT = TypeVar("AnswerT")

N_REASONS: Final = 5


class Details:
    """Answers about single books, each at one version of the mesh."""

    def __init__(self, mesh: Mesh, catalog: Catalog, cards: Cards, *, rules: ServingRules) -> None:
        self._mesh = mesh
        self._catalog = catalog
        self._cards = cards
        self._rules = rules

    async def describe(self, book_id: int, deadline: Deadline) -> BookDetail:
        """The book's card; SQL's if the version does not know the book. Raises BookNotFound."""
        return await self._mesh.at_one_version(deadline, lambda view: self._describe(view, book_id))

    async def explain(self, user: UserProfile, book_id: int, deadline: Deadline) -> Explanation:
        """Why the book suits the reader; no reasons is an answer too. Raises BookNotFound."""
        lost = {user.blamed} if user.blamed else set()
        try:
            if not await self._catalog.read_titles([book_id], deadline.share()):
                raise BookNotFound(book_id)
        except CatalogUnavailable as error:
            lost.add(error.blamed)
        return await self._mesh.at_one_version(
            deadline, lambda view: self._explain(view, user, book_id, set(lost))
        )

    async def describe_model(self, deadline: Deadline) -> ModelInfo:
        """What any of the servers tells of the version. Raises NothingLeft."""
        model = await self._mesh.at_one_version(
            deadline, lambda view: _ask_any(lambda name: view.with_share().describe(name))
        )
        return ModelInfo(**model.model_dump())

    async def list_versions(self, deadline: Deadline) -> VersionsResponse:
        """What any of the servers finds in the artifact store. Raises NothingLeft."""
        return await self._mesh.at_one_version(
            deadline, lambda view: _ask_any(lambda name: view.with_share().list_versions(name))
        )

    async def _describe(self, view: MeshView, book_id: int) -> BookDetail:
        degraded: set[str] = set()
        card = (await self._cards.describe(view, [book_id], degraded)).get(book_id)
        if card is None:
            rows = await self._catalog.read_titles([book_id], view.deadline)
            if book_id not in rows:
                raise BookNotFound(book_id)
            card = build_card(rows[book_id])
        return BookDetail(version=view.version_name, degraded=sorted(degraded), **asdict(card))

    async def _explain(
        self, view: MeshView, user: UserProfile, book_id: int, degraded: set[str]
    ) -> Explanation:
        contributions = await self._contributions(view, user, book_id, degraded)
        cards = await self._cards.describe(view, [each.book_id for each in contributions], degraded)
        ratings = dict(user.history)
        because = [
            Reason(
                book_id=each.book_id,
                title=cards[each.book_id].title,
                authors=cards[each.book_id].authors,
                rating=ratings[each.book_id],
                share=each.share,
            )
            for each in contributions
            if each.book_id in cards
        ]
        return Explanation(
            version=view.version_name,
            degraded=sorted(degraded),
            user_id=user.user_id,
            book_id=book_id,
            because=because,
        )

    async def _contributions(
        self, view: MeshView, user: UserProfile, book_id: int, degraded: set[str]
    ) -> list[als.Contribution]:
        if not user.history:
            return []
        history = [
            als.HistoryBook(book_id=book_id, rating=rating) for book_id, rating in user.history[-MAX_BOOKS:]
        ]
        request = als.ExplainRequest(
            history=history,
            book_ids=[book_id],
            k=N_REASONS,
            rating_strength=self._rules.rating_strength,
        )
        try:
            return (await view.with_share().explain(request)).contributions[0]
        except UpstreamRefused:
            return []
        except UpstreamError as error:
            degraded.add(error.blamed)
            return []


async def _ask_any(ask: Callable[[ServerName], Awaitable[AnswerT]]) -> AnswerT:
    """The answer of the first server that has one."""
    failed: list[str] = []
    for name in SERVER_NAMES:
        try:
            return await ask(name)
        except UpstreamError as error:
            failed.append(error.blamed)
    raise NothingLeft(failed)
