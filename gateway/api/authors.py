"""Authors: found by the beginning of their names, and shown with their books."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from contracts.metadata import BookFilters, Sort
from contracts.shell import VERSION_HEADER, BookId
from gateway.api import problems
from gateway.api.conditional import NOT_MODIFIED, ConditionalRoute
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import DeadlineDep, ServicesDep
from gateway.schemas import AuthorDetail, AuthorItem, AuthorList, Whole

router = APIRouter(
    prefix="/v1/authors", tags=["authors"], route_class=ConditionalRoute, responses=NOT_MODIFIED
)


@router.get("", summary="Find authors by name")
async def list_authors(
    services: ServicesDep,
    deadline: DeadlineDep,
    prefix: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            description="How the name begins, in any case and without accents: the first name first.",
            examples=["ursula k"],
        ),
    ],
    limit: LimitQuery = 20,
    offset: OffsetQuery = 0,
) -> AuthorList:
    """By name, with how many books of theirs there are."""
    rows, total = await services.catalog.find_authors(prefix, limit, offset, deadline)
    items = [AuthorItem(author_id=row.author_id, name=row.name, n_books=row.n_books) for row in rows]
    return AuthorList(total=total, items=items)


@router.get("/{author_id}", responses=problems.document(404), summary="Show an author with their books")
async def read_author(
    services: ServicesDep,
    deadline: DeadlineDep,
    response: Response,
    author_id: Annotated[BookId, Whole, Path(description="The author.", examples=[17])],
    sort: Annotated[Sort, Query(description="The order of their books.")] = "popular",
    limit: LimitQuery = 20,
    offset: OffsetQuery = 0,
) -> AuthorDetail:
    """Books that came after the last training or refresh are not among them yet."""
    name = await services.catalog.read_author(author_id, deadline)
    filters = BookFilters(author=name)
    page = await services.pages.read(filters, sort=sort, limit=limit, offset=offset, deadline=deadline)
    response.headers[VERSION_HEADER] = page.version
    return AuthorDetail(author_id=author_id, name=name, **dict(page))
