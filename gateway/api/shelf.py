"""Books that a reader wants to read: put on the shelf, listed, and taken off."""

from typing import Annotated

from fastapi import APIRouter, Path

from catalog.tables import EventKind
from contracts.shell import BookId
from gateway.api import dismissals, problems
from gateway.api.callers import OwnUserId
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import DeadlineDep, Services, ServicesDep
from gateway.errors import NotOnShelf
from gateway.schemas import MarkedList, Whole

router = APIRouter(prefix="/v1/users/{user_id}/shelf", tags=["shelf"])

UnreadBookIdPath = Annotated[BookId, Whole, Path(description="The book.", examples=[242])]


@router.get("", responses=problems.document(*problems.OF_USER), summary="List what a reader wants to read")
async def list_shelf(
    services: ServicesDep,
    deadline: DeadlineDep,
    user_id: OwnUserId,
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> MarkedList:
    """Newest first; what the reader has rated and what nobody is shown is left out."""
    return await dismissals.read_page(services, user_id, EventKind.TO_READ, limit, offset, deadline)


@router.put(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER, 409),
    summary="Put a book on a reader's shelf",
)
async def shelve(services: ServicesDep, user_id: OwnUserId, book_id: UnreadBookIdPath) -> None:
    """Sent again, it changes nothing. Lists may still show the book; a rating takes it off the shelf."""
    await services.catalog.shelve(user_id, book_id)


@router.delete(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER),
    summary="Take a book off a reader's shelf",
)
async def unshelve(services: ServicesDep, user_id: OwnUserId, book_id: UnreadBookIdPath) -> None:
    """The reader does not want to read it any more."""
    await remove(services, user_id, book_id)


async def remove(services: Services, user_id: int, book_id: int) -> None:
    """Take a book off a reader's shelf. Raises UserNotFound, BookNotFound, NotOnShelf."""
    if not await services.catalog.unmark(user_id, book_id, EventKind.TO_READ):
        raise NotOnShelf(user_id, book_id)
