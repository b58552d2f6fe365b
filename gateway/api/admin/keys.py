"""Keys of services: which there are, a new one, and one that is good no more."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from catalog import keys
from gateway.api import problems
from gateway.api.admin import deeds
from gateway.api.admin.schemas import CreatedKey, KeyLine, KeyLines, NewKey
from gateway.api.callers import AdminDep
from gateway.api.services import ServicesDep

router = APIRouter(prefix=f"{deeds.PATH}/keys", tags=["admin"])

KeyNamePath = Annotated[str, Path(pattern=f"^{keys.KEY_NAME}$", description="Its name.", examples=["shop"])]


@router.get("", responses=problems.document(401, 403), summary="List keys")
async def list_keys(services: ServicesDep, admin: AdminDep) -> KeyLines:
    """Those that were revoked too; what they are nobody can read."""

    def query(session: Session) -> list[KeyLine]:
        return [
            KeyLine(
                name=key.name,
                scopes=key.scopes.split(),
                per_minute=key.rate_per_minute,
                created_at=key.created_at,
                used_at=key.used_at,
                revoked_at=key.revoked_at,
            )
            for key in keys.list_keys(session)
        ]

    return KeyLines(items=await deeds.read(services, query))


@router.post("", status_code=201, responses=problems.document(401, 403, 409, 413, 415), summary="Make a key")
async def create_key(services: ServicesDep, admin: AdminDep, body: NewKey) -> CreatedKey:
    """Shown this once; a service sends it as `Authorization: Bearer KEY`."""
    key = await deeds.change(
        services,
        admin,
        "create-key",
        f"key {body.name}",
        lambda session: keys.create_key(session, body.name, body.scopes, rate_per_minute=body.per_minute),
        scopes=sorted(body.scopes),
    )
    return CreatedKey(name=body.name, key=key)


@router.delete("/{name}", status_code=204, responses=problems.document(401, 403, 404), summary="Revoke a key")
async def revoke_key(services: ServicesDep, admin: AdminDep, name: KeyNamePath) -> None:
    """Gateways refuse it within a second or so; its name stays taken."""
    await deeds.change(
        services, admin, "revoke-key", f"key {name}", lambda session: keys.revoke_key(session, name)
    )
