"""Books that a reader is not to be shown again: dismissed, listed, and taken back."""

from fastapi import APIRouter

from catalog.tables import EventKind
from gateway.api import problems
from gateway.api.callers import OwnUserId
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import BookIdPath, DeadlineDep, Services, ServicesDep
from gateway.deadline import Deadline
from gateway.errors import DismissalNotFound
from gateway.schemas import MarkedItem, MarkedList

router = APIRouter(prefix="/v1/users/{user_id}/dismissals", tags=["dismissals"])


@router.get("", responses=problems.document(*problems.OF_USER), summary="List what a reader has dismissed")
async def list_dismissals(
    services: ServicesDep,
    deadline: DeadlineDep,
    user_id: OwnUserId,
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> MarkedList:
    """Newest first; books that nobody is shown are left out."""
    return await read_page(services, user_id, EventKind.DISMISS, limit, offset, deadline)


@router.put(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER),
    summary="Dismiss a book for a reader",
)
async def dismiss(services: ServicesDep, user_id: OwnUserId, book_id: BookIdPath) -> None:
    """From the very next on, no list shows the book to the reader; sent again, it changes nothing."""
    await services.catalog.dismiss(user_id, book_id)


@router.delete(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER),
    summary="Take a dismissal back",
)
async def undo_dismissal(services: ServicesDep, user_id: OwnUserId, book_id: BookIdPath) -> None:
    """The book may be shown to the reader again."""
    await remove(services, user_id, book_id)


async def remove(services: Services, user_id: int, book_id: int) -> None:
    """Take a dismissal back. Raises UserNotFound, BookNotFound, DismissalNotFound."""
    if not await services.catalog.unmark(user_id, book_id, EventKind.DISMISS):
        raise DismissalNotFound(user_id, book_id)


async def read_page(
    services: Services, user_id: int, kind: EventKind, limit: int, offset: int, deadline: Deadline
) -> MarkedList:
    """A page of the books that a reader has dismissed or wants to read. Raises UserNotFound."""
    await services.catalog.read_user(user_id, deadline)
    total, page = await services.catalog.read_marked(user_id, kind, limit, offset, deadline)
    rows = await services.catalog.read_titles([book.book_id for book in page], deadline)
    items = [
        MarkedItem(
            book_id=book.book_id,
            title=row.title,
            authors=list(row.authors),
            year=row.year,
            isbns=list(row.isbns),
            main_subject=row.main_subject,
            at=book.at,
        )
        for book in page
        if (row := rows.get(book.book_id)) is not None
    ]
    return MarkedList(user_id=user_id, total=total, items=items)
