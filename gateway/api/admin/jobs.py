"""Jobs of the worker: what waits, what runs, and what came of those that ended."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from catalog import jobs
from catalog.jobs import StoredJob
from contracts.shell import BookId
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.schemas import JobInfo, JobList
from gateway.api.callers import AdminDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import ServicesDep
from gateway.schemas import Whole

router = APIRouter(prefix=f"{deeds.PATH}/jobs", tags=["admin"])

JobIdPath = Annotated[BookId, Whole, Path(description="The job.", examples=[17])]


@router.get("", responses=problems.document(401, 403), summary="List jobs")
async def list_jobs(
    services: ServicesDep, admin: AdminDep, limit: LimitQuery = 50, offset: OffsetQuery = 0
) -> JobList:
    """The newest first; of those that ended the last 1,000 are kept."""

    def query(session: Session) -> tuple[int, list[StoredJob]]:
        return jobs.count_jobs(session), jobs.list_jobs(session, limit=limit, offset=offset)

    total, found = await deeds.read(services, query)
    return JobList(total=total, items=[JobInfo.model_validate(job) for job in found])


@router.get("/{job_id}", responses=problems.document(401, 403, 404), summary="Show a job")
async def show_job(services: ServicesDep, admin: AdminDep, job_id: JobIdPath) -> JobInfo:
    """Its state and times, and in a sentence what came of it."""
    return JobInfo.model_validate(await deeds.read(services, lambda session: jobs.read_job(session, job_id)))


@router.post("/{job_id}/cancel", responses=problems.document(401, 403, 404, 409), summary="Cancel a job")
async def cancel_job(services: ServicesDep, admin: AdminDep, job_id: JobIdPath) -> JobInfo:
    """One that waits is not begun; one that runs the worker stops within seconds."""
    job = await deeds.change(
        services,
        admin,
        "cancel-job",
        f"job {job_id}",
        lambda session: jobs.cancel(session, job_id, by=f"user {admin.user_id}"),
    )
    return JobInfo.model_validate(job)
