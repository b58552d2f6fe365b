"""Search: by words, and by meaning."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gateway.api import problems
from gateway.api.callers import UserDep
from gateway.api.filters import FiltersDep
from gateway.api.lean import LeanRoute
from gateway.api.services import DeadlineDep, KQuery, ServicesDep
from gateway.schemas import BookList

router = APIRouter(prefix="/v1/search", tags=["search"], route_class=LeanRoute)

Words = Annotated[
    str,
    Query(
        min_length=1,
        max_length=500,
        description="Words of a title, an author or a subject, a whole question, or an ISBN; "
        "one typo a word is forgiven.",
        examples=["lathe of haven"],
    ),
]
Sentence = Annotated[
    str,
    Query(
        min_length=1,
        max_length=500,
        description="What the book should be about, in the reader's own words.",
        examples=["an orphan boy at a school of magic"],
    ),
]


@router.get(
    "", response_model=BookList, responses=problems.document(*problems.OF_USER), summary="Search by words"
)
async def search(
    services: ServicesDep,
    deadline: DeadlineDep,
    user: UserDep,
    q: Words,
    filters: FiltersDep,
    k: KQuery = 10,
) -> Response:
    """A look-up: fewer than k books if fewer match, and as many of one author as match."""
    return await services.answer(services.list_requests.search(q, user, k=k, filters=filters), deadline)


@router.get(
    "/semantic",
    response_model=BookList,
    responses=problems.document(*problems.OF_USER),
    summary="Search by meaning",
)
async def search_by_meaning(
    services: ServicesDep, deadline: DeadlineDep, user: UserDep, q: Sentence, k: KQuery = 10
) -> Response:
    """The books whose texts are nearest in meaning."""
    return await services.answer(services.list_requests.search_by_meaning(q, user, k=k), deadline)
