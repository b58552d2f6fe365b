"""Subjects: how they are called, which of them are one, and which are none."""

from fastapi import APIRouter

from catalog.editing import subjects
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.schemas import SubjectMerged, SubjectNamed, SubjectRenamed, WithdrawnSubjects
from gateway.api.callers import AdminDep
from gateway.api.services import ServicesDep

router = APIRouter(prefix=f"{deeds.PATH}/subjects", tags=["admin"])
TARGET = "subject"
"""Its name stands in the detail, which has room for it."""


@router.get("/withdrawn", responses=problems.document(401, 403), summary="List withdrawn subjects")
async def list_withdrawn_subjects(services: ServicesDep, admin: AdminDep) -> WithdrawnSubjects:
    """Those that no book is about any more, whatever imports say."""
    rows = await deeds.read(services, subjects.list_withdrawn)
    return WithdrawnSubjects(items=[row.name for row in rows])


@router.post(
    "/rename",
    status_code=204,
    responses=problems.document(401, 403, 409, 413, 415),
    summary="Rename a subject",
)
async def rename_subject(services: ServicesDep, admin: AdminDep, body: SubjectRenamed) -> None:
    """Also in later imports."""
    await deeds.change(
        services,
        admin,
        "rename-subject",
        TARGET,
        lambda session: subjects.rename_subject(session, body.name, body.new_name),
        subject=body.name,
        into=body.new_name,
    )


@router.post(
    "/merge",
    status_code=204,
    responses=problems.document(401, 403, 409, 413, 415),
    summary="Make two subjects one",
)
async def merge_subjects(services: ServicesDep, admin: AdminDep, body: SubjectMerged) -> None:
    """Its books and readers are the other one's, also in later imports."""
    await deeds.change(
        services,
        admin,
        "merge-subject",
        TARGET,
        lambda session: subjects.merge_subjects(session, body.name, body.into),
        subject=body.name,
        into=body.into,
    )


@router.post(
    "/withdraw",
    status_code=204,
    responses=problems.document(401, 403, 413, 415),
    summary="Withdraw a subject",
)
async def withdraw_subject(services: ServicesDep, admin: AdminDep, body: SubjectNamed) -> None:
    """No book is about it any more, also in later imports."""
    await deeds.change(
        services,
        admin,
        "withdraw-subject",
        TARGET,
        lambda session: subjects.withdraw_subject(session, body.name),
        subject=body.name,
    )


@router.post(
    "/restore",
    status_code=204,
    responses=problems.document(401, 403, 413, 415),
    summary="Let imports find a subject again",
)
async def restore_subject(services: ServicesDep, admin: AdminDep, body: SubjectNamed) -> None:
    """The next import of each source does."""
    await deeds.change(
        services,
        admin,
        "restore-subject",
        TARGET,
        lambda session: subjects.restore_subject(session, body.name),
        subject=body.name,
    )
