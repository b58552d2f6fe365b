"""Answers questions: from the cache, or by climbing down the ladder at one version of the mesh."""

import hashlib
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from gateway.api.schemas import BookItem, BookList
from gateway.cache.base import ResponseCache
from gateway.cache.single_flight import SingleFlight
from gateway.errors import NothingLeft
from gateway.mesh.deadline import Deadline
from gateway.mesh.mesh import Mesh
from gateway.mesh.view import MeshView
from gateway.metrics import GatewayMetrics
from gateway.recommend.assemble import Assembled, assemble, walk
from gateway.recommend.cards import Cards
from gateway.recommend.questions import Question

NO_VERSION: Final = "none"
"""Named by responses that no artifact version had a part in."""
BODY_FORMAT: Final = 1
"""Part of every cache key: raise it when the meaning or the form of a cached body changes."""


@dataclass(frozen=True)
class Rendered:
    """A response, ready to send."""

    body: bytes
    version: str


class Lists:
    """Makes lists of books, each question at most once at a time."""

    def __init__(
        self,
        mesh: Mesh,
        cards: Cards,
        cache: ResponseCache,
        metrics: GatewayMetrics,
        *,
        deadline_s: float,
        settings_key: str,
    ) -> None:
        self._mesh = mesh
        self._cards = cards
        self._cache = cache
        self._metrics = metrics
        self._deadline_s = deadline_s
        self._key_prefix = f"{BODY_FORMAT}:{settings_key}"
        self._flights: SingleFlight[Rendered] = SingleFlight()

    async def answer(self, question: Question) -> Rendered:
        """The list as JSON. Raises NothingLeft if all that could be asked is lost."""
        version = self._mesh.pinned
        if version is None:
            return await self._make(question)
        key = self._build_key(version, question)
        cached = await self._cache.get(key)
        self._metrics.cache_lookups.labels("miss" if cached is None else "hit").inc()
        if cached is not None:
            return Rendered(cached, version)
        return await self._flights.run(key, lambda: self._make(question))

    async def _make(self, question: Question) -> Rendered:
        deadline = Deadline.after(self._deadline_s)
        body, cache_as = await self._mesh.at_one_version(deadline, lambda view: self._climb(question, view))
        rendered = Rendered(body.model_dump_json().encode(), body.version)
        if cache_as is not None:
            await self._cache.set(self._build_key(cache_as, question), rendered.body)
        return rendered

    async def _climb(self, question: Question, view: MeshView) -> tuple[BookList, str | None]:
        """The list, and the version to cache it under; None if something lost has changed it."""
        losses: set[str] = set()
        steps = walk(question.rungs, view, losses, is_padded=question.rules.is_padded)
        async with aclosing(steps):
            found = await assemble(
                steps, question.rules, view, lambda ids: self._cards.describe(view, ids, losses)
            )
        if losses and not found.books:
            raise NothingLeft(sorted(losses))
        for lost in losses:
            self._metrics.degraded.labels(lost).inc()
        return _build_list(found, losses), None if losses else view.version

    def _build_key(self, version: str, question: Question) -> str:
        # Hashed, since a key may hold a whole POST body and what readers search for.
        asked = hashlib.blake2b(question.key.encode(), digest_size=16).hexdigest()
        return f"{self._key_prefix}:{version}:{asked}"


def _build_list(found: Assembled, losses: set[str]) -> BookList:
    items = [
        BookItem(
            book_id=card.book_id,
            title=card.title,
            authors=card.authors,
            year=card.year,
            isbns=card.isbns,
            main_subject=card.main_subject,
            score=score,
        )
        for card, score in found.books
    ]
    return BookList(
        version=found.version or NO_VERSION, mode=found.mode, degraded=sorted(losses), items=items
    )
