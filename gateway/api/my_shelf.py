"""Books that the reader who has logged in wants to read."""

from typing import Annotated

from fastapi import APIRouter, Path

from catalog.tables import EventKind
from contracts.shell import BookId
from gateway.api import dismissals, problems
from gateway.api.callers import ReaderDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import DeadlineDep, ServicesDep
from gateway.errors import NotOnShelf
from gateway.schemas import MarkedList, Whole

router = APIRouter(prefix="/v1/me/shelf", tags=["me"])

UnreadBookIdPath = Annotated[BookId, Whole, Path(description="The book.", examples=[242])]


@router.get("", responses=problems.document(*problems.OF_USER), summary="List what I want to read")
async def list_shelf(
    services: ServicesDep,
    deadline: DeadlineDep,
    reader: ReaderDep,
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> MarkedList:
    """Newest first; what I have rated and what nobody is shown is left out."""
    return await dismissals.read_page(services, reader.user_id, EventKind.TO_READ, limit, offset, deadline)


@router.put(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER, 409),
    summary="Put a book on my shelf",
)
async def shelve(services: ServicesDep, reader: ReaderDep, book_id: UnreadBookIdPath) -> None:
    """Sent again, it changes nothing. Lists may still show the book; a rating takes it off the shelf."""
    await services.catalog.shelve(reader.user_id, book_id)


@router.delete(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER),
    summary="Take a book off my shelf",
)
async def unshelve(services: ServicesDep, reader: ReaderDep, book_id: UnreadBookIdPath) -> None:
    """I do not want to read it any more."""
    if not await services.catalog.unmark(reader.user_id, book_id, EventKind.TO_READ):
        raise NotOnShelf(reader.user_id, book_id)
