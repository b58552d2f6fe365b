"""Books as operators see them: with what readers do not see, and every change that commands make."""

from typing import Annotated

from fastapi import APIRouter, Query

from catalog.editing import books
from catalog.editing.shown import Visibility, list_books, read_book
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.errors import EditInvalid
from gateway.api.admin.schemas import (
    BookChange,
    BookLine,
    BookLines,
    FormerBook,
    IntoBook,
    Name,
    NewBook,
    NewBookId,
    StoredBook,
)
from gateway.api.callers import AdminDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import BookIdPath, ServicesDep

router = APIRouter(prefix=f"{deeds.PATH}/books", tags=["admin"])


@router.get("", responses=problems.document(401, 403), summary="List all books")
async def list_all_books(
    services: ServicesDep,
    admin: AdminDep,
    title: Annotated[
        Name | None,
        Query(description="Only books with this in their titles, in any case.", examples=["left hand"]),
    ] = None,
    visibility: Annotated[
        Visibility | None,
        Query(
            description="Only books that readers see, or that they do not: withdrawn, without a title yet, "
            "or merged into another.",
            examples=["withdrawn"],
        ),
    ] = None,
    limit: LimitQuery = 50,
    offset: OffsetQuery = 0,
) -> BookLines:
    """By id, also those that readers do not see."""
    total, rows = await deeds.read(
        services,
        lambda session: list_books(
            session, title=title or "", visibility=visibility, limit=limit, offset=offset
        ),
    )
    return BookLines(total=total, items=[BookLine.model_validate(row) for row in rows])


@router.get("/{book_id}", responses=problems.document(401, 403, 404), summary="Show all of a book")
async def show_book(services: ServicesDep, admin: AdminDep, book_id: BookIdPath) -> StoredBook:
    """As it is stored now, also if it is withdrawn or part of another book."""
    return StoredBook.model_validate(await deeds.read(services, lambda session: read_book(session, book_id)))


@router.post("", status_code=201, responses=problems.document(401, 403, 409, 413, 415), summary="Add a book")
async def add_book(services: ServicesDep, admin: AdminDep, body: NewBook) -> NewBookId:
    """Readers find it once the worker has refreshed what is served, within seconds."""
    book_id = await deeds.change(
        services,
        admin,
        "add-book",
        lambda book_id: f"book {book_id}",
        lambda session: books.add_book(
            session, body.given(), isbns=body.isbns, even_if_known=body.even_if_known
        ),
    )
    return NewBookId(book_id=book_id)


@router.patch(
    "/{book_id}",
    status_code=204,
    responses=problems.document(401, 403, 404, 409, 413, 415),
    summary="Change a book",
)
async def change_book(services: ServicesDep, admin: AdminDep, book_id: BookIdPath, body: BookChange) -> None:
    """What is named; no import changes it back."""
    fields = body.given()
    if not fields:
        raise EditInvalid("body: name at least one thing to change, such as `title`")
    await deeds.change(
        services,
        admin,
        "change-book",
        f"book {book_id}",
        lambda session: books.change_book(session, book_id, fields),
        fields=sorted(fields),
    )


@router.post(
    "/{book_id}/merge",
    status_code=204,
    responses=problems.document(401, 403, 404, 409, 413, 415),
    summary="Merge a book into another",
)
async def merge_book(services: ServicesDep, admin: AdminDep, book_id: BookIdPath, body: IntoBook) -> None:
    """The other one gets its ISBNs and ratings; no import undoes it, splitting does."""
    await deeds.change(
        services,
        admin,
        "merge-book",
        f"book {book_id}",
        lambda session: books.merge_book(session, book_id, body.into),
        into=body.into,
    )


@router.post(
    "/{book_id}/split", responses=problems.document(401, 403, 404, 409), summary="Undo the merge of a book"
)
async def split_book(services: ServicesDep, admin: AdminDep, book_id: BookIdPath) -> FormerBook:
    """It has its editions, ratings and dismissals again, for good."""
    heir_id = await deeds.change(
        services,
        admin,
        "split-book",
        f"book {book_id}",
        lambda session: books.split_book(session, book_id),
    )
    return FormerBook(former=heir_id)


@router.post(
    "/{book_id}/withdraw",
    status_code=204,
    responses=problems.document(401, 403, 404, 409),
    summary="Withdraw a book",
)
async def withdraw_book(services: ServicesDep, admin: AdminDep, book_id: BookIdPath) -> None:
    """It is shown to nobody from now on; its ratings go on to train."""
    await deeds.change(
        services,
        admin,
        "withdraw-book",
        f"book {book_id}",
        lambda session: books.withdraw_book(session, book_id),
    )


@router.post(
    "/{book_id}/restore",
    status_code=204,
    responses=problems.document(401, 403, 404, 409),
    summary="Show a withdrawn book again",
)
async def restore_book(services: ServicesDep, admin: AdminDep, book_id: BookIdPath) -> None:
    """Readers see it as soon as the worker has refreshed what is served."""
    await deeds.change(
        services,
        admin,
        "restore-book",
        f"book {book_id}",
        lambda session: books.restore_book(session, book_id),
    )
