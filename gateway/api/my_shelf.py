"""Books that the reader who has logged in wants to read."""

from fastapi import APIRouter

from catalog.tables import EventKind
from gateway.api import dismissals, problems, shelf
from gateway.api.callers import ReaderDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import DeadlineDep, ServicesDep
from gateway.api.shelf import UnreadBookIdPath
from gateway.schemas import MarkedList

router = APIRouter(prefix="/v1/me/shelf", tags=["me"])


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
    await shelf.remove(services, reader.user_id, book_id)
