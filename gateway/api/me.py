"""What concerns the reader who has logged in: their profile, and all that is stored about them."""

import time
from dataclasses import asdict
from typing import Any, Final

from fastapi import APIRouter, Request

from gateway.accounts.accounts import ProfileChange
from gateway.accounts.errors import WrongCredentials
from gateway.accounts.schemas import PersonalData, Profile, ProfileUpdate, RatingStatistics
from gateway.api import problems
from gateway.api.callers import ReaderDep
from gateway.api.services import DeadlineDep, Services, ServicesDep
from gateway.deadline import Deadline
from gateway.limits.addresses import find_network

router = APIRouter(prefix="/v1/me", tags=["me"])

EXPORT_S: Final = 10.0
"""How long an export may wait for SQL: it is asked for seldom, and of some readers there is much."""
_OF_ACCOUNT: Final = {"email", "name", "current_password"}


@router.get("", responses=problems.document(*problems.OF_USER), summary="Show my profile")
async def read_profile(services: ServicesDep, deadline: DeadlineDep, reader: ReaderDep) -> Profile:
    """Who I am to this catalog, and what I told it."""
    return Profile.model_validate(await services.accounts.read_profile(reader, deadline))


@router.patch("", responses=problems.document(*problems.OF_USER, 409, 413, 415), summary="Change my profile")
async def update_profile(
    request: Request, services: ServicesDep, deadline: DeadlineDep, reader: ReaderDep, body: ProfileUpdate
) -> Profile:
    """The very next list knows what I told; no import changes it."""
    if body.email is not None:
        if body.current_password is None:
            raise WrongCredentials("a new e-mail needs `current_password`")
        await services.limits.check_password(reader.user_id, find_network(request.scope))
        await services.accounts.check_password(reader, body.current_password.get_secret_value(), deadline)
    preferences = await _resolve(services, body, deadline)
    await services.accounts.change(reader, ProfileChange(body.email, body.name, preferences))
    # Done is done: what is answered may take its own time.
    after = Deadline.after(services.deadline_s)
    return Profile.model_validate(await services.accounts.read_profile(reader, after))


@router.get("/statistics", responses=problems.document(*problems.OF_USER), summary="Count my ratings")
async def read_statistics(
    services: ServicesDep, deadline: DeadlineDep, reader: ReaderDep
) -> RatingStatistics:
    """How much I read, how I judge, and what it is about."""
    statistics = await services.catalog.read_statistics(reader.user_id, deadline)
    return RatingStatistics.model_validate(asdict(statistics))


@router.get("/export", responses=problems.document(*problems.OF_USER), summary="Export everything about me")
async def export(services: ServicesDep, reader: ReaderDep) -> PersonalData:
    """All rows of me, as they are stored; no password and no token."""
    tables = await services.accounts.export(reader, Deadline.after(EXPORT_S))
    return PersonalData(exported_at=int(time.time()), tables=tables)


@router.delete(
    "", status_code=204, responses=problems.document(401, 403), summary="Delete everything about me"
)
async def erase(services: ServicesDep, reader: ReaderDep) -> None:
    """For ever: account, ratings, events, all of it; no import brings it back."""
    await services.accounts.erase(reader)


async def _resolve(services: Services, body: ProfileUpdate, deadline: Deadline) -> dict[str, Any]:
    """What was given of the preferences, subjects spelled as the catalog does."""
    given = body.model_dump(exclude_unset=True, exclude=_OF_ACCOUNT)
    if "favourite_subjects" in given:
        given["favourite_subjects"] = await services.subjects.resolve(body.favourite_subjects or [], deadline)
    if "favourite_authors" in given:
        given["favourite_authors"] = body.favourite_authors or []
    return given
