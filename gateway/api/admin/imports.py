"""Imports: what those that were done tell, and the wish for another one, which the worker does."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from catalog.import_reports import list_import_reports, read_import_report
from catalog.jobs import JobKind
from contracts.shell import BookId
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.errors import ReportNotFound
from gateway.api.admin.schemas import Import, JobInfo, Report, ReportLine, ReportLines
from gateway.api.callers import AdminDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import ServicesDep
from gateway.schemas import Whole

router = APIRouter(prefix=f"{deeds.PATH}/imports", tags=["admin"])

ReportIdPath = Annotated[BookId, Whole, Path(description="The report.", examples=[1])]


@router.get("", responses=problems.document(401, 403), summary="List imports")
async def list_imports(
    services: ServicesDep, admin: AdminDep, limit: LimitQuery = 50, offset: OffsetQuery = 0
) -> ReportLines:
    """Those that were done, the newest first."""
    total, rows = await deeds.read(
        services, lambda session: list_import_reports(session, limit=limit, offset=offset)
    )
    return ReportLines(total=total, items=[ReportLine.model_validate(row) for row in rows])


@router.get("/{report_id}", responses=problems.document(401, 403, 404), summary="Show an import")
async def show_import(services: ServicesDep, admin: AdminDep, report_id: ReportIdPath) -> Report:
    """What became of the rows of each file, and of the catalog."""
    report = await deeds.read(services, lambda session: read_import_report(session, report_id))
    if report is None:
        raise ReportNotFound(report_id)
    return Report.model_validate(report)


@router.post("", status_code=202, responses=deeds.OF_JOB, summary="Import a dump")
async def start_import(services: ServicesDep, admin: AdminDep, response: Response, body: Import) -> JobInfo:
    """The worker reads it from below the folder `imports` of its home, and from nowhere else.

    That the folder is there, and holds what the source needs, the worker finds out: see the job.
    """
    return await deeds.enqueue(
        services, admin, JobKind.IMPORT, response, **body.model_dump(exclude_none=True)
    )
