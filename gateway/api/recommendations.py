"""Recommendations: for a known reader, and for anyone from liked books or subjects."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from catalog.traits import name_traits
from contracts.shell import VERSION_HEADER, Weight
from gateway.api import problems
from gateway.api.callers import OwnUserId
from gateway.api.lean import LeanRoute
from gateway.api.moved import MOVED, CurrentBookId
from gateway.api.services import DeadlineDep, KQuery, ServicesDep
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable, UnknownBooks
from gateway.recommend.candidates import Favourites
from gateway.recommend.list_requests import RecommendMode
from gateway.schemas import BookList, Explanation, Number, RecommendationsRequest

router = APIRouter(prefix="/v1", tags=["recommendations"], route_class=LeanRoute)

ModeQuery = Annotated[
    RecommendMode,
    Query(
        description="`auto` and `collaborative` start from the reader's history, `subjects` from their "
        "favourites, or the subjects of what they read; where there is none, the next way is taken and the "
        "answer's `mode` says so."
    ),
]
PopularityWeightQuery = Annotated[
    Annotated[Weight, Number] | None,
    Query(description="Share of popularity in the score; left out: as tuned.", examples=[0.3]),
]


@router.get(
    "/users/{user_id}/recommendations",
    response_model=BookList,
    responses=problems.document(*problems.OF_USER),
    summary="Recommend books to a reader",
)
async def recommend_to_reader(
    services: ServicesDep,
    deadline: DeadlineDep,
    user_id: OwnUserId,
    k: KQuery = 10,
    mode: ModeQuery = "auto",
    popularity_weight: PopularityWeightQuery = None,
) -> Response:
    """Books that the reader has neither read nor dismissed; a rating changes the very next list."""
    user = await services.catalog.recall_user(user_id, deadline)
    request = services.list_requests.for_user(user, mode=mode, k=k, popularity_weight=popularity_weight)
    return await services.answer(request, deadline)


@router.post(
    "/recommendations",
    response_model=BookList,
    responses=problems.document(413, 415),
    summary="Recommend books from liked books or favourites",
)
async def recommend_to_anyone(
    services: ServicesDep, deadline: DeadlineDep, body: RecommendationsRequest
) -> Response:
    """Nothing is stored. With `liked` the books decide, else what the reader tells, else popularity."""
    heirs = services.catalog.heirs
    liked = list({heirs.get(book.book_id, book.book_id): book.rating for book in body.liked}.items())
    await _check_books_exist(services, [book_id for book_id, _ in liked], deadline.share())
    subjects = await services.subjects.resolve(body.subjects, deadline) if body.subjects else []
    authors, degraded = await _resolve_authors(services, body.authors, deadline.share())
    traits = name_traits(
        age_group=body.age_group, gender=body.gender, occupation=body.occupation, country=body.country
    )
    request = services.list_requests.for_anyone(
        liked,
        Favourites(subjects, authors, traits),
        k=body.k,
        popularity_weight=body.popularity_weight,
        degraded=degraded,
    )
    return await services.answer(request, deadline)


@router.get(
    "/users/{user_id}/recommendations/{book_id}/why",
    responses={**problems.document(*problems.OF_USER), **MOVED},
    summary="Explain why a book suits a reader",
)
async def explain(
    services: ServicesDep,
    deadline: DeadlineDep,
    response: Response,
    user_id: OwnUserId,
    book_id: CurrentBookId,
) -> Explanation:
    """The books of the reader's own history that speak most for the book."""
    user = await services.catalog.recall_user(user_id, deadline)
    explanation = await services.details.explain(user, book_id, deadline)
    response.headers[VERSION_HEADER] = explanation.version
    return explanation


async def _check_books_exist(services: ServicesDep, book_ids: list[int], deadline: Deadline) -> None:
    if not book_ids:
        return
    try:
        rows = await services.catalog.read_titles(book_ids, deadline)
    except CatalogUnavailable:
        return  # anonymous readers are served without the catalog; als leaves out what it does not know
    if unknown := [book_id for book_id in book_ids if book_id not in rows]:
        raise UnknownBooks(unknown)


async def _resolve_authors(
    services: ServicesDep, names: list[str], deadline: Deadline
) -> tuple[list[int], frozenset[str]]:
    """Their ids, and what was lost: what else is told, and popularity, need no catalog."""
    if not names:
        return [], frozenset()
    try:
        return await services.catalog.resolve_authors(names, deadline), frozenset()
    except CatalogUnavailable as error:
        return [], frozenset([error.blamed])
