"""A reader's ratings: given, taken back, and listed."""

from fastapi import APIRouter, Response

from gateway.api import problems
from gateway.api.callers import OwnUserId
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import BookIdPath, DeadlineDep, Services, ServicesDep
from gateway.deadline import Deadline
from gateway.errors import RatingNotFound
from gateway.schemas import RatedBook, RatingList, RatingRequest, StoredRating

router = APIRouter(prefix="/v1/users/{user_id}/ratings", tags=["ratings"])


@router.get("", responses=problems.document(*problems.OF_USER), summary="List a reader's ratings")
async def list_ratings(
    services: ServicesDep,
    deadline: DeadlineDep,
    user_id: OwnUserId,
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> RatingList:
    """The reader's history with titles, newest first; books that nobody is shown are left out."""
    return await read_page(services, user_id, limit, offset, deadline)


@router.put(
    "/{book_id}",
    responses={
        201: {"model": StoredRating, "description": "A new rating."},
        **problems.document(*problems.OF_USER, 413, 415),
    },
    summary="Rate a book",
    response_description="A changed rating.",
)
async def put_rating(
    services: ServicesDep,
    response: Response,
    user_id: OwnUserId,
    book_id: BookIdPath,
    request: RatingRequest,
) -> StoredRating:
    """201 for a new rating, 200 for a changed one; the reader's next list already knows it."""
    return await store(services, response, user_id, book_id, request)


@router.delete(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER),
    summary="Take a rating back",
)
async def delete_rating(services: ServicesDep, user_id: OwnUserId, book_id: BookIdPath) -> None:
    """The book may be recommended to the reader again."""
    await remove(services, user_id, book_id)


async def read_page(
    services: Services, user_id: int, limit: int, offset: int, deadline: Deadline
) -> RatingList:
    """A page of a reader's history. Raises UserNotFound."""
    user = await services.catalog.read_user(user_id, deadline)
    shown = [rated for rated in reversed(user.history) if rated[0] not in user.hidden]
    page = shown[offset : offset + limit]
    rows = await services.catalog.read_titles([book_id for book_id, _ in page], deadline)
    items = [
        RatedBook(
            book_id=book_id,
            title=rows[book_id].title,
            authors=list(rows[book_id].authors),
            year=rows[book_id].year,
            isbns=list(rows[book_id].isbns),
            main_subject=rows[book_id].main_subject,
            rating=rating,
        )
        for book_id, rating in page
        if book_id in rows
    ]
    return RatingList(user_id=user_id, total=len(shown), items=items)


async def store(
    services: Services, response: Response, user_id: int, book_id: int, request: RatingRequest
) -> StoredRating:
    """Set a rating; the status tells whether it is new. Raises UserNotFound, BookNotFound."""
    is_new = await services.catalog.put_rating(user_id, book_id, request.rating)
    response.status_code = 201 if is_new else 200
    return StoredRating(user_id=user_id, book_id=book_id, rating=request.rating)


async def remove(services: Services, user_id: int, book_id: int) -> None:
    """Take a rating back. Raises UserNotFound, BookNotFound, RatingNotFound."""
    if not await services.catalog.delete_rating(user_id, book_id):
        raise RatingNotFound(user_id, book_id)
