"""Versions: which there are and how they were judged; to move between them is a job of the worker."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from catalog.jobs import JobKind
from contracts.shell import ModelResponse, VersionsResponse
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.errors import VersionNotFound
from gateway.api.admin.schemas import (
    JobInfo,
    Promotion,
    Rollback,
    StoredVersion,
    VersionLine,
    VersionLines,
    VersionName,
    Wanted,
)
from gateway.api.callers import AdminDep
from gateway.api.services import Services, ServicesDep
from gateway.deadline import Deadline

router = APIRouter(prefix=deeds.PATH, tags=["admin"])


@router.get("/versions", responses=problems.document(401, 403), summary="List versions")
async def list_versions(services: ServicesDep, admin: AdminDep) -> VersionLines:
    """All that the artifact store keeps, as a model server finds them: the newest first."""
    store = await _read_store(services)
    return VersionLines(items=[_to_line(model, store.current) for model in store.versions])


@router.get("/versions/{version}", responses=problems.document(401, 403, 404), summary="Show a version")
async def show_version(
    services: ServicesDep, admin: AdminDep, version: Annotated[VersionName, Path(description="The version.")]
) -> StoredVersion:
    """Where it came from, and what each check of the gate said."""
    store = await _read_store(services)
    for model in store.versions:
        if model.version == version:
            return StoredVersion(**model.model_dump(), is_current=version == store.current)
    raise VersionNotFound(version)


@router.post("/promote", status_code=202, responses=deeds.OF_JOB, summary="Make a version the current one")
async def promote(services: ServicesDep, admin: AdminDep, response: Response, body: Promotion) -> JobInfo:
    """The worker does so after checking every byte of it; see the job."""
    return await deeds.enqueue(
        services, admin, JobKind.PROMOTE, response, why=body.why, version=body.version, force=body.force
    )


@router.post("/rollback", status_code=202, responses=deeds.OF_JOB, summary="Go back to the version before")
async def rollback(services: ServicesDep, admin: AdminDep, response: Response, body: Rollback) -> JobInfo:
    """To the trained version before, and its books; what runs already, such as a training, ends first."""
    return await deeds.enqueue(
        services, admin, JobKind.ROLLBACK, response, why=body.why, from_version=body.from_version
    )


@router.post("/refresh", status_code=202, responses=deeds.OF_JOB, summary="Publish what has changed of books")
async def refresh(services: ServicesDep, admin: AdminDep, response: Response, body: Wanted) -> JobInfo:
    """Without training; changes of books do so by themselves."""
    return await deeds.enqueue(services, admin, JobKind.REFRESH, response, why=body.why)


@router.post("/train", status_code=202, responses=deeds.OF_JOB, summary="Train a version")
async def train(services: ServicesDep, admin: AdminDep, response: Response, body: Wanted) -> JobInfo:
    """It answers once the gate has passed it."""
    return await deeds.enqueue(services, admin, JobKind.TRAIN, response, why=body.why)


async def _read_store(services: Services) -> VersionsResponse:
    return await services.details.list_versions(Deadline.after(deeds.READ_S))


def _to_line(model: ModelResponse, current: str | None) -> VersionLine:
    return VersionLine(
        version=model.version,
        created_at=model.created_at,
        release=model.release,
        refresh_of=model.refresh_of,
        passed=model.passed,
        failed_checks=[check.name for check in model.checks if not (check.passed or check.skipped)],
        is_current=model.version == current,
    )
