"""Readers whom services bring: created without an account, by the service's key."""

from fastapi import APIRouter

from gateway.accounts.schemas import CreatedUser, NewReader
from gateway.api import problems
from gateway.api.auth import read_preferences
from gateway.api.callers import ServiceDep
from gateway.api.services import DeadlineDep, ServicesDep

router = APIRouter(prefix="/v1/users", tags=["users"])


@router.post(
    "", status_code=201, responses=problems.document(*problems.OF_USER, 413, 415), summary="Create a reader"
)
async def create_user(
    services: ServicesDep, deadline: DeadlineDep, service: ServiceDep, body: NewReader
) -> CreatedUser:
    """A reader whom the service knows and who has no account here; it keeps the `user_id`."""
    preferences = await read_preferences(services, body, deadline)
    return CreatedUser(user_id=await services.accounts.create_user(preferences, body.loved_books))
