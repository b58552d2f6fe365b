"""Books: one by id or ISBN, those like it, and the popular ones."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from contracts.metadata import Sort
from contracts.shell import VERSION_HEADER, Weight
from contracts.similarity import SimilarMode
from gateway.api import problems
from gateway.api.callers import UserDep
from gateway.api.conditional import NOT_MODIFIED, ConditionalRoute
from gateway.api.filters import FiltersDep
from gateway.api.moved import MOVED, CurrentBookId
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import DeadlineDep, KQuery, Services, ServicesDep
from gateway.deadline import Deadline
from gateway.schemas import AuthorItem, AuthorsOfBook, BookDetail, BookList, BookPage, Number

router = APIRouter(prefix="/v1/books", tags=["books"], route_class=ConditionalRoute, responses=NOT_MODIFIED)


@router.get("", summary="List books")
async def list_books(
    services: ServicesDep,
    deadline: DeadlineDep,
    response: Response,
    filters: FiltersDep,
    sort: Annotated[
        Sort,
        Query(
            description="`popular`: most ratings first; `newest`: latest year first, unknown years last; "
            "`title`: by title, as it is spelled."
        ),
    ] = "popular",
    limit: LimitQuery = 20,
    offset: OffsetQuery = 0,
) -> BookPage:
    """All books that pass every filter, a page at a time; those that came after the last refresh not yet."""
    page = await services.pages.read(filters, sort=sort, limit=limit, offset=offset, deadline=deadline)
    response.headers[VERSION_HEADER] = page.version
    return page


@router.get(
    "/popular",
    response_model=BookList,
    responses=problems.document(*problems.OF_USER),
    summary="List popular books",
)
async def list_popular(
    services: ServicesDep,
    deadline: DeadlineDep,
    user: UserDep,
    k: KQuery = 10,
    subject: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="Only books of this subject, in any case.",
            examples=["Science fiction"],
        ),
    ] = None,
) -> Response:
    """The books that most readers read, by ratings given; fewer than k only if the subject has no more."""
    if subject is not None:
        [subject] = await services.subjects.resolve([subject], deadline)
    return await services.answer(services.list_requests.popular(subject, user, k=k), deadline)


@router.get("/isbn/{isbn}", responses=problems.document(404), summary="Find a book by ISBN")
async def read_book_by_isbn(
    services: ServicesDep,
    deadline: DeadlineDep,
    response: Response,
    isbn: Annotated[
        str,
        Path(
            max_length=40,
            description="Of any edition: 10 or 13 digits, with or without hyphens.",
            examples=["978-9999-91208-2"],
        ),
    ],
) -> BookDetail:
    """The work that the ISBN is an edition of."""
    book_id = await services.catalog.find_by_isbn(isbn, deadline)
    return await _describe(services, response, book_id, deadline)


@router.get("/{book_id}", responses={**problems.document(404), **MOVED}, summary="Show a book")
async def read_book(
    services: ServicesDep, deadline: DeadlineDep, response: Response, book_id: CurrentBookId
) -> BookDetail:
    """All that is known of a book."""
    return await _describe(services, response, book_id, deadline)


@router.get(
    "/{book_id}/authors",
    responses={**problems.document(404), **MOVED},
    summary="List who wrote a book",
)
async def list_authors_of(
    services: ServicesDep, deadline: DeadlineDep, book_id: CurrentBookId
) -> AuthorsOfBook:
    """In the order of the title page, with the ids by which `/v1/authors/{author_id}` shows their books."""
    rows = await services.catalog.list_authors_of(book_id, deadline)
    items = [AuthorItem(author_id=row.author_id, name=row.name, n_books=row.n_books) for row in rows]
    return AuthorsOfBook(book_id=book_id, items=items)


@router.get(
    "/{book_id}/similar",
    response_model=BookList,
    responses={**problems.document(*problems.OF_USER), **MOVED},
    summary="List books like a book",
)
async def list_similar(
    services: ServicesDep,
    deadline: DeadlineDep,
    user: UserDep,
    book_id: CurrentBookId,
    k: KQuery = 10,
    mode: Annotated[
        SimilarMode,
        Query(
            description="`blend`: all that speaks for a book; `item-item`: read together, or of the same "
            "authors; `als`: for alike readers; `subject`: about the same; `hybrid`: the last two. A book "
            "without such a likeness gets those by `blend`, or popular books of its main subject, and `mode` "
            "says so."
        ),
    ] = "blend",
    weight: Annotated[Weight, Number, Query(description="Share of `als` in `hybrid`.")] = 0.5,
) -> Response:
    """Never the book itself nor another edition of it."""
    request = services.list_requests.similar(book_id, user, mode=mode, weight=weight, k=k)
    return await services.answer(request, deadline)


async def _describe(services: Services, response: Response, book_id: int, deadline: Deadline) -> BookDetail:
    detail = await services.details.describe(book_id, deadline)
    response.headers[VERSION_HEADER] = detail.version
    return detail
