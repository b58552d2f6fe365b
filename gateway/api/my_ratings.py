"""What the reader who has logged in has read, and how they liked it."""

from fastapi import APIRouter, Response

from gateway.accounts.schemas import BulkRatings, BulkStored
from gateway.api import problems, ratings
from gateway.api.callers import ReaderDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import BookIdPath, DeadlineDep, ServicesDep
from gateway.schemas import RatingList, RatingRequest, StoredRating

router = APIRouter(prefix="/v1/me/ratings", tags=["me"])


@router.get("", responses=problems.document(*problems.OF_USER), summary="List my ratings")
async def list_ratings(
    services: ServicesDep,
    deadline: DeadlineDep,
    reader: ReaderDep,
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> RatingList:
    """My history with titles, newest first; books that nobody is shown are left out."""
    return await ratings.read_page(services, reader.user_id, limit, offset, deadline)


@router.post("", responses=problems.document(*problems.OF_USER, 413, 415), summary="Rate many books")
async def put_ratings(services: ServicesDep, reader: ReaderDep, body: BulkRatings) -> BulkStored:
    """All of them or, if the catalog lacks one, none; sent again, they change nothing."""
    given = {each.book_id: each.rating for each in body.ratings}
    n_new, n_changed = await services.catalog.put_ratings(reader.user_id, given)
    return BulkStored(n_new=n_new, n_changed=n_changed)


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
    services: ServicesDep, response: Response, reader: ReaderDep, book_id: BookIdPath, request: RatingRequest
) -> StoredRating:
    """201 for a new rating, 200 for a changed one; my next list already knows it."""
    return await ratings.store(services, response, reader.user_id, book_id, request)


@router.delete(
    "/{book_id}",
    status_code=204,
    responses=problems.document(*problems.OF_USER),
    summary="Take a rating back",
)
async def delete_rating(services: ServicesDep, reader: ReaderDep, book_id: BookIdPath) -> None:
    """The book may be recommended to me again."""
    await ratings.remove(services, reader.user_id, book_id)
