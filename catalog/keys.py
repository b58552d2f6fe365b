"""Keys of services, stored by their digests alone."""

import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.database import count_changed
from catalog.errors import KeyNameTaken, KeyUnknown
from catalog.tables import ApiKey
from catalog.tokens import hash_token

KEY_PREFIX: Final = "bmk_"
"""What every key begins with."""
_N_BYTES: Final = 32

# Every request of a service may begin with it. Built once and run below the ORM it costs less than half.
# Found by its digest, a key is compared in a time that tells nothing of those there are.
_FIND: Final = select(ApiKey.key_id, ApiKey.name, ApiKey.scopes, ApiKey.rate_per_minute).where(
    ApiKey.key_hash == bindparam("key_hash"), ApiKey.revoked_at.is_(None)
)


def create_key(
    session: Session, name: str, scopes: Iterable[str], *, rate_per_minute: int | None = None
) -> str:
    """A new key; nobody can read it again. Raises KeyNameTaken."""
    key = KEY_PREFIX + secrets.token_urlsafe(_N_BYTES)
    values = {"name": name, "scopes": " ".join(sorted(scopes)), "rate_per_minute": rate_per_minute}
    try:
        session.execute(
            insert(ApiKey).values(**values, key_hash=hash_token(key), created_at=int(time.time()))
        )
    except IntegrityError:
        raise KeyNameTaken(name) from None
    return key


def revoke_key(session: Session, name: str) -> None:
    """Let a key be good no more; its name stays taken. Raises KeyUnknown."""
    revoked = update(ApiKey).where(ApiKey.name == name, ApiKey.revoked_at.is_(None))
    if not count_changed(session, revoked.values(revoked_at=int(time.time()))):
        raise KeyUnknown(name)


def list_keys(session: Session) -> Sequence[ApiKey]:
    """All keys, those that were revoked too, the oldest first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.key_id)).all()


def find_key(session: Session, key: str) -> Row[int, str, str, int | None] | None:
    """Id, name, scopes and rate of a key that is good; None for any other."""
    return session.connection().execute(_FIND, {"key_hash": hash_token(key)}).one_or_none()
