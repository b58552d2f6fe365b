"""Books for the reader who has logged in, and why each suits them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts.shell import VERSION_HEADER
from gateway.api import problems
from gateway.api.callers import ReaderDep
from gateway.api.lean import LeanRoute
from gateway.api.moved import MOVED, CurrentBookId
from gateway.api.recommendations import ModeQuery, PopularityWeightQuery
from gateway.api.services import DeadlineDep, KQuery, ServicesDep
from gateway.schemas import BookList, Explanation

router = APIRouter(prefix="/v1/me/recommendations", tags=["me"], route_class=LeanRoute)


@router.get(
    "",
    response_model=BookList,
    responses=problems.document(*problems.OF_USER),
    summary="Recommend books to me",
)
async def recommend(
    services: ServicesDep,
    deadline: DeadlineDep,
    reader: ReaderDep,
    k: KQuery = 10,
    mode: ModeQuery = "auto",
    popularity_weight: PopularityWeightQuery = None,
    exclude_rated: Annotated[
        bool, Query(description="`false` for those who want to read again: what I have read may come up too.")
    ] = True,
    refresh: Annotated[bool, Query(description="Make the list anew, also if it is in the cache.")] = False,
) -> Response:
    """Books that I have neither read nor dismissed; a rating changes the very next list."""
    user = await services.catalog.recall_user(reader.user_id, deadline)
    request = services.list_requests.for_user(
        user, mode=mode, k=k, popularity_weight=popularity_weight, exclude_rated=exclude_rated
    )
    return await services.answer(request, deadline, refresh=refresh)


@router.get(
    "/{book_id}/why",
    responses={**problems.document(*problems.OF_USER), **MOVED},
    summary="Explain why a book suits me",
)
async def explain(
    services: ServicesDep,
    deadline: DeadlineDep,
    response: Response,
    reader: ReaderDep,
    book_id: CurrentBookId,
) -> Explanation:
    """The books of my own history that speak most for the book."""
    user = await services.catalog.recall_user(reader.user_id, deadline)
    explanation = await services.details.explain(user, book_id, deadline)
    response.headers[VERSION_HEADER] = explanation.version
    return explanation
