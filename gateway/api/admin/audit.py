"""The audit log: who changed what, and when."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from catalog.audit import list_entries
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.schemas import AuditEntry, AuditPage, Name
from gateway.api.callers import AdminDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import ServicesDep
from gateway.schemas import LATEST_S, Whole

router = APIRouter(prefix=f"{deeds.PATH}/audit", tags=["admin"])


@router.get("", responses=problems.document(401, 403), summary="Read the audit log")
async def read_audit_log(
    services: ServicesDep,
    admin: AdminDep,
    actor: Annotated[
        Name | None, Query(description="Only what they did: `user` and an id, or `cli`.", examples=["cli"])
    ] = None,
    action: Annotated[Name | None, Query(description="Only this.", examples=["withdraw-book"])] = None,
    target: Annotated[
        Name | None, Query(description="Only to this, such as a book.", examples=["book 241"])
    ] = None,
    since: Annotated[
        Annotated[int, Field(ge=0, le=LATEST_S), Whole] | None,
        Query(description="Only from then on, in seconds since 1970 UTC.", examples=[1795270000]),
    ] = None,
    limit: LimitQuery = 50,
    offset: OffsetQuery = 0,
) -> AuditPage:
    """The newest first."""
    total, entries = await deeds.read(
        services,
        lambda session: list_entries(
            session, actor=actor, action=action, target=target, since=since, limit=limit, offset=offset
        ),
    )
    return AuditPage(total=total, items=[AuditEntry.model_validate(entry) for entry in entries])
