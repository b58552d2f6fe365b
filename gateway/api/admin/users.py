"""Readers: who they are, what they may do, how they come in, and that they are forgotten."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from catalog import accounts, people, personal, tokens
from catalog.emails import fold_email
from catalog.errors import EmailInvalid
from catalog.people import Person as StoredPerson
from catalog.tables import Role
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.errors import AccountMissing, EditInvalid
from gateway.api.admin.schemas import ClaimLink, FindPerson, Name, NewRole, People, Person, PersonDetail
from gateway.api.callers import AdminDep
from gateway.api.paging import LimitQuery, OffsetQuery
from gateway.api.services import ServicesDep, UserIdPath

router = APIRouter(prefix=deeds.PATH, tags=["admin"])


@router.get("/users", responses=problems.document(401, 403), summary="List readers")
async def list_users(
    services: ServicesDep,
    admin: AdminDep,
    source: Annotated[
        Name | None,
        Query(
            description="Only readers of this source; those who signed up: `bookmesh`.", examples=["bookmesh"]
        ),
    ] = None,
    role: Annotated[Role | None, Query(description="Only those with an account of this role.")] = None,
    limit: LimitQuery = 50,
    offset: OffsetQuery = 0,
) -> People:
    """By id, with and without an account."""
    total, rows = await deeds.read(
        services,
        lambda session: people.list_people(session, source=source, role=role, limit=limit, offset=offset),
    )
    return People(total=total, items=[Person.model_validate(row) for row in rows])


@router.post("/find-user", responses=problems.document(401, 403, 413, 415), summary="Find a reader by e-mail")
async def find_user(services: ServicesDep, admin: AdminDep, body: FindPerson) -> People:
    """The one who has an account of this e-mail, or nobody."""
    try:
        email = fold_email(body.email)
    except EmailInvalid as error:
        raise EditInvalid(f"email: {error}") from error

    def query(session: Session) -> list[StoredPerson]:
        account = accounts.find_by_email(session, email)
        return [] if account is None else [people.read_person(session, account.user_id)]

    rows = await deeds.read(services, query)
    return People(total=len(rows), items=[Person.model_validate(row) for row in rows])


@router.get("/users/{user_id}", responses=problems.document(401, 403, 404), summary="Show a reader")
async def show_user(services: ServicesDep, admin: AdminDep, user_id: UserIdPath) -> PersonDetail:
    """Who they are, and how much there is of them."""
    person, activity = await deeds.read(
        services,
        lambda session: (people.read_person(session, user_id), people.read_activity(session, user_id)),
    )
    return PersonDetail(**asdict(person), **asdict(activity))


@router.put(
    "/users/{user_id}/role",
    status_code=204,
    responses=problems.document(401, 403, 404, 409, 413, 415),
    summary="Make a reader an admin, or an admin a reader",
)
async def set_role(services: ServicesDep, admin: AdminDep, user_id: UserIdPath, body: NewRole) -> None:
    """Other gateways know within five seconds."""

    def change(session: Session) -> None:
        person = people.read_person(session, user_id)
        if person.email is None:
            raise AccountMissing(user_id)
        accounts.set_role(session, person.email, Role(body.role))

    await deeds.change(services, admin, "set-role", f"user {user_id}", change, role=body.role)
    services.accounts.forget(user_id)


@router.post(
    "/users/{user_id}/logout",
    status_code=204,
    responses=problems.document(401, 403, 404),
    summary="Log a reader out",
)
async def log_out_user(services: ServicesDep, admin: AdminDep, user_id: UserIdPath) -> None:
    """Everywhere: all their log-ins end."""

    def change(session: Session) -> None:
        people.read_person(session, user_id)
        tokens.log_out_everywhere(session, user_id)

    await deeds.change(services, admin, "log-out", f"user {user_id}", change)
    services.accounts.forget(user_id)


@router.post(
    "/users/{user_id}/claim-link",
    status_code=201,
    responses=problems.document(401, 403, 404, 409),
    summary="Make a link to an account",
)
async def make_claim_link(services: ServicesDep, admin: AdminDep, user_id: UserIdPath) -> ClaimLink:
    """For an imported reader; one that was made before is not good any more."""
    token = await deeds.change(
        services,
        admin,
        "claim-link",
        f"user {user_id}",
        lambda session: accounts.issue_claim(session, user_id),
    )
    return ClaimLink(link=services.accounts.build_claim_link(token))


@router.delete(
    "/users/{user_id}",
    status_code=204,
    responses=problems.document(401, 403, 404),
    summary="Delete everything about a reader",
)
async def erase_user(services: ServicesDep, admin: AdminDep, user_id: UserIdPath) -> None:
    """For ever: account, ratings, events, all of it; no import and no backup brings it back."""
    await deeds.change(
        services,
        admin,
        "erase-user",
        f"user {user_id}",
        lambda session: personal.erase(session, user_id),
    )
    services.accounts.forget(user_id)
