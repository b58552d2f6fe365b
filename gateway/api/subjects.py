"""Subjects: what books are about."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.api.conditional import NOT_MODIFIED, ConditionalRoute
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import DeadlineDep, ServicesDep
from gateway.schemas import SubjectItem, SubjectList

router = APIRouter(prefix="/v1", tags=["subjects"], route_class=ConditionalRoute, responses=NOT_MODIFIED)


@router.get("/subjects", summary="List subjects")
async def list_subjects(
    services: ServicesDep,
    deadline: DeadlineDep,
    prefix: Annotated[
        str, Query(max_length=200, description="Only subjects that begin so, in any case.", examples=["sci"])
    ] = "",
    limit: LimitQuery = 100,
    offset: OffsetQuery = 0,
) -> SubjectList:
    """Those of most books first, generic ones ("Fiction") last."""
    rows, total = await services.subjects.find(prefix=prefix, limit=limit, offset=offset, deadline=deadline)
    return SubjectList(total=total, items=[SubjectItem(name=row.name, n_books=row.n_books) for row in rows])
