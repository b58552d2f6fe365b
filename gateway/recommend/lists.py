"""Answers questions: from the cache, or by climbing down the ladder at one version of the mesh."""

import hashlib
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from contracts.metadata import BookCard
from gateway.cache.base import ResponseCache
from gateway.cache.single_flight import SingleFlight
from gateway.mesh.deadline import Deadline
from gateway.mesh.mesh import Mesh
from gateway.mesh.view import MeshView
from gateway.metrics import GatewayMetrics
from gateway.recommend.assemble import assemble, walk
from gateway.recommend.cards import Cards
from gateway.recommend.questions import Question

NO_VERSION: Final = "none"
"""Named by responses that no artifact version had a part in."""
BODY_FORMAT: Final = 1
"""Part of every cache key: raise it when the meaning or the form of a cached body changes."""


@dataclass(frozen=True)
class Answer:
    """A list of books, and what it had to be made without."""

    version: str
    mode: str
    degraded: tuple[str, ...]
    books: tuple[tuple[BookCard, float], ...]
    """Best first; scores never increase."""


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
        render: Callable[[Answer], bytes],
    ) -> None:
        self._mesh = mesh
        self._cards = cards
        self._cache = cache
        self._metrics = metrics
        self._deadline_s = deadline_s
        self._key_prefix = f"{BODY_FORMAT}:{settings_key}"
        self._render = render
        self._flights: SingleFlight[Rendered] = SingleFlight()

    async def answer(self, question: Question) -> Rendered:
        """The list as `render` writes it. Raises NothingLeft if all that could be asked is lost."""
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
        answer = await self._mesh.at_one_version(deadline, lambda view: self._climb(question, view))
        rendered = Rendered(self._render(answer), answer.version)
        if not answer.degraded:
            await self._cache.set(self._build_key(answer.version, question), rendered.body)
        return rendered

    async def _climb(self, question: Question, view: MeshView) -> Answer:
        losses: set[str] = set()
        steps = walk(question.rungs, view, losses, is_padded=question.rules.is_padded)
        async with aclosing(steps):
            found = await assemble(
                steps, question.rules, view, lambda ids: self._cards.describe(view, ids, losses)
            )
        for lost in losses:
            self._metrics.degraded.labels(lost).inc()
        return Answer(found.version or NO_VERSION, found.mode, tuple(sorted(losses)), found.books)

    def _build_key(self, version: str, question: Question) -> str:
        # Hashed, since a key may hold a whole POST body and what readers search for.
        asked = hashlib.blake2b(question.key.encode(), digest_size=16).hexdigest()
        return f"{self._key_prefix}:{version}:{asked}"
