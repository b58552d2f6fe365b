"""Readers whom services bring: created without an account, by the service's key."""

import json

from fastapi import APIRouter, Response

from catalog.tokens import hash_token
from gateway.accounts.accounts import FormHashes
from gateway.accounts.schemas import CreatedUser, NewUser
from gateway.api import problems
from gateway.api.auth import read_preferences
from gateway.api.callers import ServiceDep
from gateway.api.services import DeadlineDep, ServicesDep

router = APIRouter(prefix="/v1/users", tags=["users"])


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": CreatedUser, "description": "The reader whom the same form has brought before."},
        **problems.document(401, 403, 409, 413, 415),
    },
    summary="Create a reader",
    response_description="A new reader.",
)
async def create_user(
    services: ServicesDep, deadline: DeadlineDep, service: ServiceDep, response: Response, body: NewUser
) -> CreatedUser:
    """A reader whom the service knows and who has no account here; it keeps the `user_id`.

    With an `external_id` the request may be repeated: 201 for a new reader, 200 for the same one again, and
    409 if something else was told of them then.
    """
    preferences = await read_preferences(services, body, deadline)
    user_id, is_new = await services.accounts.create_user(preferences, body.loved_books, _hash(body))
    response.status_code = 201 if is_new else 200
    return CreatedUser(user_id=user_id)


def _hash(body: NewUser) -> FormHashes | None:
    if body.external_id is None:
        return None
    # What is left out is as if it were not there, so that later releases may know more fields.
    form = body.model_dump(exclude={"external_id"}, exclude_defaults=True)
    return FormHashes(hash_token(body.external_id), hash_token(json.dumps(form, sort_keys=True)))
