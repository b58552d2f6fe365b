"""Keys of services, stored by their digests alone."""

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import BigInteger, BindParameter, Row, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.database import count_changed
from catalog.errors import KeyNameTaken, KeyUnknown
from catalog.tables import ApiKey
from catalog.tokens import hash_token

KEY_PREFIX: Final = "bmk_"
"""What every key begins with."""
KEY_NAME: Final = r"[A-Za-z0-9._-]{1,80}"
"""What a key may be called."""
_N_BYTES: Final = 32

# Built once and run below the ORM it costs less than half.
_GOOD: Final = select(
    ApiKey.key_hash, ApiKey.key_id, ApiKey.name, ApiKey.scopes, ApiKey.rate_per_minute
).where(ApiKey.revoked_at.is_(None))
_USED_AT: Final[BindParameter[int]] = bindparam("at", type_=BigInteger)


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


def read_good_keys(session: Session) -> Sequence[Row[str, int, str, str, int | None]]:
    """Digest, id, name, scopes and rate of all keys that are good: an installation has few."""
    return session.connection().execute(_GOOD).all()


def is_good(session: Session, key: str) -> bool:
    """Whether it is a key, and was not revoked."""
    return session.connection().execute(_GOOD.where(ApiKey.key_hash == hash_token(key))).first() is not None


def note_used(session: Session, used_at: Mapping[int, int]) -> None:
    """Note when keys were last used, by their ids; of what several gateways tell the latest counts."""
    is_later = or_(ApiKey.used_at.is_(None), ApiKey.used_at < _USED_AT)
    noting = update(ApiKey).where(ApiKey.key_id == bindparam("of_key"), is_later).values(used_at=_USED_AT)
    rows = [{"of_key": key_id, "at": at} for key_id, at in sorted(used_at.items())]
    session.connection().execute(noting, rows)
