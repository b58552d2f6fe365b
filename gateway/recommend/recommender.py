"""Answers list requests: from the cache, or from the servers, at one version of the mesh."""

import asyncio
from collections.abc import Awaitable, Collection, Mapping
from contextlib import aclosing
from time import perf_counter

import structlog

from contracts.metadata import BookCard
from foundation.release import RELEASE
from foundation.serving_rules import ServingRules
from gateway.cache.base import ResponseCache
from gateway.cache.single_flight import SingleFlight
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.mesh.mesh import Mesh
from gateway.mesh.view import MeshView
from gateway.metrics import GatewayMetrics
from gateway.recommend.assemble import assemble, read_with_fallbacks
from gateway.recommend.cards import Cards
from gateway.recommend.list_ids import digest, name_list
from gateway.recommend.list_requests import ListPlan, ListRequest
from gateway.recommend.rendered import MadeList, Rendered

log = structlog.get_logger()


class Recommender:
    """Finds, renders and caches lists of books; equal requests at the same time share one computation."""

    def __init__(
        self,
        mesh: Mesh,
        catalog: Catalog,
        cards: Cards,
        cache: ResponseCache,
        metrics: GatewayMetrics,
        *,
        rules: ServingRules,
    ) -> None:
        self._mesh = mesh
        self._catalog = catalog
        self._cards = cards
        self._cache = cache
        self._metrics = metrics
        self._key_prefix = f"{RELEASE}:{rules.model_dump_json()}"
        self._computations: SingleFlight[Rendered] = SingleFlight()

    async def answer(self, request: ListRequest, deadline: Deadline, *, refresh: bool = False) -> Rendered:
        """The list as JSON; `refresh` makes it anew. Raises NothingLeft if no source can give any."""
        started_s = perf_counter()
        version, state = self._mesh.pinned, self._catalog.state
        if version is None or state is None or refresh or request.degraded:
            rendered, is_cached = await self._compute(request, state, deadline), False
        else:
            key = self._build_key(version, state, request)
            cached = await self._cache.get(key)
            is_cached = cached is not None
            self._metrics.cache_lookups.labels("hit" if is_cached else "miss").inc()
            if cached is not None:
                rendered = Rendered.unpack(cached, version)
            else:
                rendered = await self._computations.run(key, lambda: self._compute(request, state, deadline))
        seconds = perf_counter() - started_s
        # Once this request has been answered: nobody waits for it.
        asyncio.get_running_loop().call_soon(self._count, request, rendered, seconds, is_cached)
        return rendered

    def _count(self, request: ListRequest, rendered: Rendered, seconds: float, is_cached: bool) -> None:
        lists = self._metrics.lists
        lists.observe_seconds(request.surface, seconds, cached=is_cached)
        lists.observe(request.surface, rendered.mode, rendered.scores, rendered.n_books)
        for dependency in rendered.degraded:
            self._metrics.degraded.labels(dependency).inc()

    async def _compute(self, request: ListRequest, state: str | None, deadline: Deadline) -> Rendered:
        plan = request.plan()
        books = await self._mesh.at_one_version(deadline, lambda view: self._find(request, plan, state, view))
        if books.degraded:
            spent_ms = {name: round(spent_s * 1000) for name, spent_s in deadline.spent_s.items()}
            log.info("list degraded", degraded=books.degraded, mode=books.mode, spent_ms=spent_ms)
        rendered = Rendered.of(books)
        # Another catalog, or an import, may have come between.
        if not books.degraded and state is not None and state == self._catalog.state:
            await self._cache.set(self._build_key(books.version, state, request), rendered.pack())
        return rendered

    async def _find(
        self, request: ListRequest, plan: ListPlan, state: str | None, view: MeshView
    ) -> MadeList:
        degraded = set(request.degraded)

        def describe(book_ids: Collection[int]) -> Awaitable[Mapping[int, BookCard]]:
            return self._cards.describe(view, book_ids, degraded)

        async with aclosing(read_with_fallbacks(*plan, view, describe, degraded)) as books:
            return await assemble(
                books,
                plan.rules,
                view,
                degraded,
                lambda version, mode: name_list(
                    request.surface, mode, self._key_prefix, version, state, request.key
                ),
            )

    def _build_key(self, version: str, state: str, request: ListRequest) -> str:
        return f"{version}:{digest(self._key_prefix, state, request.key)}"
