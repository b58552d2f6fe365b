"""The library that the reader who has logged in brings from elsewhere."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from catalog.books import BookRow
from catalog.library.review import Review
from contracts.shell import BookId
from gateway.api import problems
from gateway.api.callers import ReaderDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import DeadlineDep, Services, ServicesDep
from gateway.deadline import Deadline
from gateway.library.schemas import (
    MOST_LEFT_OUT,
    CandidateBook,
    LeftOutRow,
    LibraryImport,
    ReviewList,
    ReviewRow,
    Settlement,
)
from gateway.schemas import Whole

PATH: Final = "/v1/me/import"
MAX_BODY_BYTES: Final = 8 * 1024 * 1024
"""10,000 books fit, a tenth of them with a review."""
MOST_BODIES: Final = 8
"""Held in memory at once."""
FIRST_PAGE: Final = 50
CSV, FORM = "text/csv", "multipart/form-data"
_EXAMPLE: Final = "Title,Author,My Rating,Exclusive Shelf\nThe Dispossessed,Ursula K. Le Guin,4,read\n"
_FILE: Final = {"type": "string", "format": "binary"}
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        CSV: {"schema": _FILE, "example": _EXAMPLE},
        FORM: {"schema": {"type": "object", "required": ["file"], "properties": {"file": _FILE}}},
    },
}

router = APIRouter(prefix=PATH, tags=["me"])

RowIdPath = Annotated[BookId, Whole, Path(description="The row.", examples=[5])]


@router.post(
    "",
    responses=problems.document(401, 403, 413, 415),
    summary="Bring a library from Goodreads or StoryGraph",
    openapi_extra={"requestBody": _BODY},
)
async def bring_library(services: ServicesDep, reader: ReaderDep, request: Request) -> LibraryImport:
    """Ratings, books to read and abandoned ones of an export, as a file; my next list already knows them.

    What is surely a book of the catalog is written at once; of what may be one I am asked below
    `/v1/me/import/review`. The same file again changes nothing, and what I rated here since stays.
    """
    brought = await services.libraries.bring(reader.user_id, await _read_file(request))
    outcome, left_out = brought.outcome, brought.library.left_out
    # The request's own deadline may have passed meanwhile.
    deadline = Deadline.after(services.deadline_s)
    return LibraryImport(
        source=brought.library.source,
        n_rows=len(brought.library.rows) + len(left_out),
        n_new=outcome.new,
        n_changed=outcome.changed,
        n_unchanged=outcome.unchanged,
        n_to_review=outcome.to_review,
        n_not_found=outcome.not_found,
        n_left_out=len(left_out),
        left_out=[LeftOutRow(line=each.line, reason=each.reason) for each in left_out[:MOST_LEFT_OUT]],
        review=await _read_page(services, reader.user_id, FIRST_PAGE, 0, deadline),
    )


@router.get("/review", responses=problems.document(401, 403), summary="List rows that I am asked about")
async def list_review(
    services: ServicesDep,
    deadline: DeadlineDep,
    reader: ReaderDep,
    limit: LimitQuery = FIRST_PAGE,
    offset: OffsetQuery = 0,
) -> ReviewList:
    """Rows of my libraries that may be a book of the catalog, with the books that they may be."""
    return await _read_page(services, reader.user_id, limit, offset, deadline)


@router.post(
    "/review/{row_id}",
    status_code=204,
    responses=problems.document(401, 403, 404, 413, 415),
    summary="Tell which book a row is",
)
async def settle_row(services: ServicesDep, reader: ReaderDep, row_id: RowIdPath, body: Settlement) -> None:
    """The row is written as that book; no later import asks about it again."""
    await services.libraries.settle(reader.user_id, row_id, body.book_id)


async def _read_file(request: Request) -> bytes:
    """The file, which is the body or the only part of a form. Raises HTTPException."""
    if not request.headers.get("content-type", "").lower().startswith(FORM):
        return await request.body()
    async with request.form(max_files=1, max_fields=0) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(422, "body: the form must have one part, a file with the name `file`")
        return await file.read()


async def _read_page(
    services: Services, user_id: int, limit: int, offset: int, deadline: Deadline
) -> ReviewList:
    total, reviews = await services.libraries.list_reviews(user_id, limit, offset, deadline)
    heirs = services.catalog.heirs
    ids = {heirs.get(guess.book_id, guess.book_id) for review in reviews for guess in review.guesses}
    rows = await services.catalog.read_titles(sorted(ids), deadline)
    return ReviewList(total=total, items=[_describe(review, rows, heirs) for review in reviews])


def _describe(review: Review, rows: Mapping[int, BookRow], heirs: Mapping[int, int]) -> ReviewRow:
    """The row with those of its candidates that are shown."""
    confidence = {heirs.get(guess.book_id, guess.book_id): guess.confidence for guess in review.guesses}
    return ReviewRow(
        row_id=review.row_id,
        title=review.title,
        author=review.author,
        isbn=review.isbn,
        rating=review.rating,
        read_at=review.read_at,
        shelf=review.shelf,
        candidates=[
            CandidateBook(
                book_id=book_id,
                title=rows[book_id].title,
                authors=list(rows[book_id].authors),
                year=rows[book_id].year,
                confidence=sure,
            )
            for book_id, sure in confidence.items()
            if book_id in rows
        ],
    )
