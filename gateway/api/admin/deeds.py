"""How admins change things: each deed and its entry in the audit log in one transaction."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import Response
from sqlalchemy.orm import Session

from catalog import audit, jobs
from catalog.errors import BookUnknown, UserUnknown
from catalog.jobs import JobKind, StoredJob
from gateway.accounts.callers import Reader
from gateway.api import problems
from gateway.api.admin.errors import as_ours
from gateway.api.admin.schemas import JobInfo
from gateway.api.services import Services
from gateway.deadline import Deadline
from gateway.errors import BookNotFound, UserNotFound

ResultT = TypeVar("ResultT")

PATH: Final = "/v1/admin"
OF_JOB: Final = {**problems.document(401, 403, 413, 415), 202: {"headers": {"Location": {}}}}
"""Answers of a route that queues a job."""
READ_S: Final = 10.0
WRITE_S: Final = 30.0
"""Admins ask seldom, and of some things there is much: half of all books may be about one subject."""


async def read(services: Services, query: Callable[[Session], ResultT]) -> ResultT:
    """What a query answers. Raises UserNotFound, BookNotFound or AdminError."""
    try:
        with as_ours():
            return await services.catalog.read(query, Deadline.after(READ_S))
    except UserUnknown as error:
        raise UserNotFound(error.user_id) from error
    except BookUnknown as error:
        raise BookNotFound(error.book_id) from error


async def change(
    services: Services,
    admin: Reader,
    action: str,
    target: str | Callable[[ResultT], str],
    work: Callable[[Session], ResultT],
    **detail: Any,
) -> ResultT:
    """What a change returns; its target may follow from that. Raises UserNotFound, BookNotFound, AdminError.

    Neither target nor detail may hold e-mail or name.
    """

    def work_and_record(session: Session) -> ResultT:
        result = work(session)
        name = target if isinstance(target, str) else target(result)
        given = {key: value for key, value in detail.items() if value is not None}
        audit.record(session, f"user {admin.user_id}", action, name, given)
        return result

    with as_ours():
        return await services.catalog.write(work_and_record, timeout_s=WRITE_S)


async def enqueue(
    services: Services,
    admin: Reader,
    kind: JobKind,
    response: Response,
    *,
    why: str | None = None,
    **params: Any,
) -> JobInfo:
    """The job that will do it, one for all who wish the same while it waits; `Location` gets its path."""

    def enqueue_job(session: Session) -> StoredJob:
        return jobs.read_job(session, jobs.enqueue(session, kind, params))

    job = await change(
        services, admin, kind, lambda job: f"job {job.job_id}", enqueue_job, params=params, why=why
    )
    response.headers["Location"] = f"{PATH}/jobs/{job.job_id}"
    return JobInfo.model_validate(job)
