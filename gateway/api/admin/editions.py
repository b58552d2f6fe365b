"""Editions: which book an ISBN is one of."""

from typing import Annotated

from fastapi import APIRouter, Path

from catalog.editing import editions
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.schemas import FormerBook, NewEdition, OtherBook
from gateway.api.callers import AdminDep
from gateway.api.services import BookIdPath, ServicesDep

router = APIRouter(prefix=deeds.PATH, tags=["admin"])

IsbnPath = Annotated[str, Path(max_length=40, description="10 or 13 digits.", examples=["9780441478125"])]


@router.post(
    "/books/{book_id}/editions",
    status_code=204,
    responses=problems.document(401, 403, 404, 409, 413, 415),
    summary="Give a book an ISBN",
)
async def add_edition(services: ServicesDep, admin: AdminDep, book_id: BookIdPath, body: NewEdition) -> None:
    """One that no book has."""
    await deeds.change(
        services,
        admin,
        "add-edition",
        f"book {book_id}",
        lambda session: editions.add_edition(
            session, body.isbn, book_id, year=body.year, n_pages=body.n_pages
        ),
        isbn=body.isbn,
    )


@router.put(
    "/editions/{isbn}",
    responses=problems.document(401, 403, 404, 409, 413, 415),
    summary="Give another book an ISBN",
)
async def move_edition(services: ServicesDep, admin: AdminDep, isbn: IsbnPath, body: OtherBook) -> FormerBook:
    """Ratings follow at the next import that names the ISBN."""
    former = await deeds.change(
        services,
        admin,
        "move-edition",
        f"book {body.book_id}",
        lambda session: editions.move_edition(session, isbn, body.book_id),
        isbn=isbn,
    )
    return FormerBook(former=former)


@router.delete(
    "/editions/{isbn}", responses=problems.document(401, 403, 404), summary="Take an ISBN from its book"
)
async def remove_edition(services: ServicesDep, admin: AdminDep, isbn: IsbnPath) -> FormerBook:
    """Imports leave it out from now on."""
    former = await deeds.change(
        services,
        admin,
        "remove-edition",
        lambda book_id: f"book {book_id}",
        lambda session: editions.remove_edition(session, isbn),
        isbn=isbn,
    )
    return FormerBook(former=former)
