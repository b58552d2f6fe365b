"""Authors: how they are spelled, and which of them are one."""

from typing import Annotated

from fastapi import APIRouter, Path

from catalog.editing import authors
from contracts.shell import BookId
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.schemas import IntoAuthor, NewName
from gateway.api.callers import AdminDep
from gateway.api.services import ServicesDep
from gateway.schemas import Whole

router = APIRouter(prefix=f"{deeds.PATH}/authors", tags=["admin"])

AuthorIdPath = Annotated[BookId, Whole, Path(description="The author.", examples=[17])]


@router.patch(
    "/{author_id}",
    status_code=204,
    responses=problems.document(401, 403, 404, 409, 413, 415),
    summary="Rename an author",
)
async def rename_author(
    services: ServicesDep, admin: AdminDep, author_id: AuthorIdPath, body: NewName
) -> None:
    """Imports know them by the former name too."""
    await deeds.change(
        services,
        admin,
        "rename-author",
        f"author {author_id}",
        lambda session: authors.rename_author(session, author_id, body.name),
        spelling=body.name,
    )


@router.post(
    "/{author_id}/merge",
    status_code=204,
    responses=problems.document(401, 403, 404, 409, 413, 415),
    summary="Make two authors one",
)
async def merge_authors(
    services: ServicesDep, admin: AdminDep, author_id: AuthorIdPath, body: IntoAuthor
) -> None:
    """The other one gets their books and names; they are no more."""
    await deeds.change(
        services,
        admin,
        "merge-author",
        f"author {author_id}",
        lambda session: authors.merge_authors(session, author_id, body.into),
        into=body.into,
    )
