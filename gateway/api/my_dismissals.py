"""Books that the reader who has logged in does not want to be shown again."""

from fastapi import APIRouter

from catalog.tables import EventKind
from gateway.api import dismissals, problems
from gateway.api.callers import ReaderDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import BookIdPath, DeadlineDep, ServicesDep
from gateway.schemas import MarkedList

router = APIRouter(prefix="/v1/me/dismissals", tags=["me"])


@router.get("", responses=problems.document(*problems.OF_USER), summary="List what I have dismissed")
async def list_dismissals(
    services: ServicesDep,
    deadline: DeadlineDep,
    reader: ReaderDep,
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> MarkedList:
    """Newest first; books that nobody is shown are left out."""
    return await dismissals.read_page(services, reader.user_id, EventKind.DISMISS, limit, offset, deadline)


@router.put(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER),
    summary="Dismiss a book",
)
async def dismiss(services: ServicesDep, reader: ReaderDep, book_id: BookIdPath) -> None:
    """From the very next on, no list shows me the book; sent again, it changes nothing."""
    await services.catalog.dismiss(reader.user_id, book_id)


@router.delete(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER),
    summary="Take my dismissal back",
)
async def undo_dismissal(services: ServicesDep, reader: ReaderDep, book_id: BookIdPath) -> None:
    """The book may be shown to me again."""
    await dismissals.remove(services, reader.user_id, book_id)
