"""What the routes work with: built once at start-up, reached through FastAPI's dependencies."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from contracts.shell import VERSION_HEADER, BookId
from gateway.accounts.accounts import Accounts
from gateway.accounts.callers import Callers
from gateway.accounts.tokens import AccessTokens
from gateway.cache.base import ResponseCache
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.library.libraries import Libraries
from gateway.limits.limits import Limits
from gateway.mesh.mesh import Mesh
from gateway.metrics import GatewayMetrics
from gateway.recommend.details import Details
from gateway.recommend.list_requests import ListRequest, ListRequestBuilder
from gateway.recommend.pages import Pages
from gateway.recommend.recommender import Recommender
from gateway.recommend.snapshot import SnapshotKeeper
from gateway.recommend.subjects import Subjects
from gateway.schemas import K, Whole


@dataclass(frozen=True)
class Services:
    """One of each, shared by all requests."""

    mesh: Mesh
    catalog: Catalog
    cache: ResponseCache
    subjects: Subjects
    snapshots: SnapshotKeeper
    list_requests: ListRequestBuilder
    recommender: Recommender
    details: Details
    pages: Pages
    callers: Callers
    access_tokens: AccessTokens
    accounts: Accounts
    libraries: Libraries
    limits: Limits
    metrics: GatewayMetrics
    deadline_s: float

    async def answer(self, request: ListRequest, deadline: Deadline, *, refresh: bool = False) -> Response:
        """The list that is requested, under a header that names its version."""
        rendered = await self.recommender.answer(request, deadline, refresh=refresh)
        headers = {VERSION_HEADER: rendered.version}
        return Response(rendered.body, media_type="application/json", headers=headers)


async def _find_services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_find_services)]


async def _start_deadline(request: Request) -> Deadline:
    deadline: Deadline = request.state.deadline  # begun by RateLimit, which may have waited already
    return deadline


DeadlineDep = Annotated[Deadline, Depends(_start_deadline)]


UserIdPath = Annotated[BookId, Whole, Path(description="The reader.", examples=[142])]
BookIdPath = Annotated[BookId, Whole, Path(description="The book.", examples=[241])]
KQuery = Annotated[K, Query()]
