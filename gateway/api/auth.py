"""Accounts: sign up, log in and out, refresh, claim, change and reset a password."""

from typing import Any

from fastapi import APIRouter, Depends, Request

from catalog.tokens import LogIn
from gateway.accounts.accounts import SignUp
from gateway.accounts.callers import Reader
from gateway.accounts.schemas import (
    ClaimRequest,
    LogInRequest,
    NewReader,
    PasswordChange,
    RefreshRequest,
    ResetConfirmation,
    ResetRequest,
    SignUpRequest,
    TokenAnswer,
)
from gateway.accounts.tokens import ACCESS_S
from gateway.api import problems
from gateway.api.callers import ReaderDep
from gateway.api.services import DeadlineDep, Services, ServicesDep
from gateway.deadline import Deadline
from gateway.limits.addresses import find_network

router = APIRouter(prefix="/v1/auth", tags=["accounts"])


async def _limit_log_ins(request: Request, services: ServicesDep) -> None:
    await services.limits.check_log_in(find_network(request.scope))


GUESSABLE = [Depends(_limit_log_ins)]
"""Of routes where one could guess at passwords and tokens: an address has fewer requests here."""


@router.post(
    "/signup",
    status_code=201,
    responses=problems.document(409, 413, 415),
    summary="Become a reader",
    dependencies=GUESSABLE,
)
async def sign_up(services: ServicesDep, deadline: DeadlineDep, body: SignUpRequest) -> TokenAnswer:
    """With what the reader told, the very first list is theirs."""
    await services.limits.check_email(body.email)
    preferences = await read_preferences(services, body, deadline)
    log_in = await services.accounts.sign_up(
        SignUp(
            email=body.email,
            name=body.name,
            password=body.password.get_secret_value(),
            preferences=preferences,
            loved_books=tuple(body.loved_books),
        )
    )
    return _answer(services, log_in)


async def read_preferences(services: Services, body: NewReader, deadline: Deadline) -> dict[str, Any]:
    """What a form tells, by the names of `Preferences`, with subjects as the catalog spells them."""
    given = body.model_dump(include={"age_group", "gender", "country", "favourite_authors"})
    subjects = await services.subjects.resolve(body.favourite_subjects, deadline)
    return {**given, "favourite_subjects": subjects}


@router.post(
    "/login",
    responses=problems.document(401, 413, 415),
    summary="Log in",
    openapi_extra={"security": []},
    dependencies=GUESSABLE,
)
async def log_in(services: ServicesDep, deadline: DeadlineDep, body: LogInRequest) -> TokenAnswer:
    """Each log-in has tokens of its own; an unknown e-mail and a wrong password are one answer."""
    await services.limits.check_email(body.email)
    password = body.password.get_secret_value()
    return _answer(services, await services.accounts.log_in(body.email, password, deadline))


@router.post(
    "/refresh",
    responses=problems.document(401, 413, 415),
    summary="Get the next tokens",
    openapi_extra={"security": []},
)
async def refresh(services: ServicesDep, body: RefreshRequest) -> TokenAnswer:
    """Whoever brings a refresh token again within ten seconds, as two tabs may, gets the same next one.

    Later that ends its log-in: one of the two has stolen it.
    """
    return _answer(services, await services.accounts.refresh(body.refresh_token))


@router.post("/logout", status_code=204, responses=problems.document(401, 403), summary="Log out")
async def log_out(services: ServicesDep, reader: ReaderDep) -> None:
    """Ends the log-in that the access token came of."""
    await services.accounts.log_out(reader)


@router.post(
    "/logout-everywhere",
    status_code=204,
    responses=problems.document(401, 403),
    summary="Log out everywhere",
)
async def log_out_everywhere(services: ServicesDep, reader: ReaderDep) -> None:
    """Ends all log-ins of the reader, this one too."""
    await services.accounts.log_out_everywhere(reader)


@router.post(
    "/password",
    responses=problems.document(401, 403, 413, 415),
    summary="Change the password",
)
async def change_password(
    request: Request, services: ServicesDep, deadline: DeadlineDep, reader: ReaderDep, body: PasswordChange
) -> TokenAnswer:
    """Ends all log-ins of the reader, and begins the one that is answered."""
    await services.limits.check_password(reader.user_id, find_network(request.scope))
    current, new = body.current_password.get_secret_value(), body.new_password.get_secret_value()
    return _answer(services, await services.accounts.change_password(reader, current, new, deadline))


@router.post(
    "/reset",
    status_code=202,
    responses=problems.document(413, 415),
    summary="Forget the password",
    dependencies=GUESSABLE,
)
async def request_reset(services: ServicesDep, deadline: DeadlineDep, body: ResetRequest) -> None:
    """If an account has this e-mail, it is sent a token that is good for half an hour."""
    await services.limits.check_mail(body.email)
    await services.accounts.request_reset(body.email, deadline)


@router.post(
    "/reset/confirm",
    responses=problems.document(413, 415),
    summary="Set a new password",
    dependencies=GUESSABLE,
)
async def reset(services: ServicesDep, body: ResetConfirmation) -> TokenAnswer:
    """With the mailed token, once; ends all log-ins of the reader, and begins the one that is answered."""
    password = body.new_password.get_secret_value()
    return _answer(services, await services.accounts.reset(body.token, password))


@router.post(
    "/claim",
    status_code=201,
    responses=problems.document(409, 413, 415),
    summary="Claim a reader",
    dependencies=GUESSABLE,
)
async def claim(services: ServicesDep, body: ClaimRequest) -> TokenAnswer:
    """An imported reader gets an account by the link that an admin handed out, and keeps their history."""
    password = body.password.get_secret_value()
    return _answer(
        services,
        await services.accounts.claim(body.token, email=body.email, name=body.name, password=password),
    )


def _answer(services: Services, log_in: LogIn) -> TokenAnswer:
    reader = Reader(log_in.user_id, log_in.role, log_in.family_id)
    return TokenAnswer(
        user_id=log_in.user_id,
        access_token=services.access_tokens.sign(reader),
        expires_in=ACCESS_S,
        refresh_token=log_in.refresh_token,
    )
