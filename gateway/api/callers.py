"""Who may call a route: the dependencies that routes name, and what each lets through."""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from catalog.users import UserProfile
from contracts.shell import BookId
from gateway.accounts.callers import Caller, Reader, Scope, Service, check_acts_for, check_is_reader
from gateway.accounts.errors import Forbidden, Unauthenticated
from gateway.api.services import DeadlineDep, ServicesDep, UserIdPath
from gateway.errors import GatewayError
from gateway.schemas import Whole


async def _find_caller(request: Request) -> Caller:
    """Raises Unauthenticated or TokenExpired for a token that is not good, also where none is needed."""
    found: Caller | GatewayError = request.state.caller  # RateLimit has looked
    if isinstance(found, GatewayError):
        raise found
    return found


CallerDep = Annotated[Caller, Depends(_find_caller)]
"""Whoever calls, for routes that are open to anyone."""


async def _find_user(
    request: Request,
    services: ServicesDep,
    deadline: DeadlineDep,
    user_id: Annotated[
        Annotated[BookId, Whole] | None,
        Query(
            description="Leave out what this reader has read or dismissed; for them, a key or an admin.",
            examples=[142],
        ),
    ] = None,
) -> UserProfile | None:
    if user_id is None:
        return None
    check_acts_for(await _find_caller(request), user_id)
    return await services.catalog.recall_user(user_id, deadline)


UserDep = Annotated[UserProfile | None, Depends(_find_user)]
"""The reader whom the query names, for whom the caller may act; None if it names none."""


class _Bearer(SecurityBase):
    """What is needed to call at all; OpenAPI names it on each route that asks for it."""

    model = HTTPBearer(description="An access token of `POST /v1/auth/login`, or the key of a service.")
    scheme_name = "bearer"


class _NeedsReader(_Bearer):
    async def __call__(self, caller: CallerDep) -> Reader:
        return check_is_reader(caller)


class _NeedsAdmin(_Bearer):
    async def __call__(self, caller: CallerDep) -> Reader:
        match caller:
            case Reader(is_admin=True):
                return caller
            case Reader() | Service():
                raise Forbidden("admins")
        raise Unauthenticated


class _NeedsService(_Bearer):
    async def __call__(self, caller: CallerDep) -> Service:
        match caller:
            case Service(scopes=scopes) if Scope.READERS in scopes:
                return caller
            case Reader() | Service():
                raise Forbidden("keys of the scope `readers`")
        raise Unauthenticated


class _NeedsAnyCaller(_Bearer):
    async def __call__(self, caller: CallerDep) -> Reader | Service:
        if isinstance(caller, Reader | Service):
            return caller
        raise Unauthenticated


class _NeedsUser(_Bearer):
    async def __call__(self, caller: CallerDep, user_id: UserIdPath) -> int:
        check_acts_for(caller, user_id)
        return user_id


ReaderDep = Annotated[Reader, Depends(_NeedsReader())]
"""A reader who has logged in: `/v1/me`."""
AdminDep = Annotated[Reader, Depends(_NeedsAdmin())]
"""`/v1/admin`."""
ServiceDep = Annotated[Service, Depends(_NeedsService())]
"""A service that acts for readers."""
KnownCallerDep = Annotated[Reader | Service, Depends(_NeedsAnyCaller())]
"""A reader, or a service that says for whom: what either may do is for the route to ask."""
OwnUserId = Annotated[int, Depends(_NeedsUser())]
"""The reader whom the path names, for whom the caller may act: `/v1/users/{user_id}`."""
