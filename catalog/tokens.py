"""Log-ins, each a family of refresh tokens, and tokens that are good once; stored by their digests alone.

Use what writes within `db.session(write=True)`.
"""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from catalog.database import count_changed
from catalog.tables import Account, OneTimeToken, Purpose, Role, TokenFamily

FAMILY_S: Final = 30 * 24 * 3600
"""How long a log-in lasts that is not used; each refresh begins it anew."""
GRACE_S: Final = 10
"""So long two tabs, or a client that lost the answer, may bring one refresh token."""
_N_BYTES: Final = 32

# A signed-in reader's requests begin with it. Built once and run below the ORM it costs less than half.
_ROLE: Final = (
    select(Account.role)
    .join(TokenFamily, TokenFamily.user_id == Account.user_id)
    .where(
        TokenFamily.family_id == bindparam("family_id"),
        Account.user_id == bindparam("user_id"),
        TokenFamily.revoked_at.is_(None),
    )
)
_FAMILY: Final = (
    select(TokenFamily.__table__, Account.role)
    .join(Account, Account.user_id == TokenFamily.user_id)
    .where(TokenFamily.family_id == bindparam("family_id"))
)


class Refusal(StrEnum):
    """Why a refresh token was not exchanged."""

    UNKNOWN = "unknown"
    """None of ours, or its log-in was ended."""
    EXPIRED = "expired"
    REUSED = "reused"
    """It had been exchanged before; its log-in is ended now."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """A log-in with its newest refresh token, which is not stored as it is."""

    user_id: int
    role: Role
    family_id: str
    refresh_token: str


def log_in(session: Session, user_id: int, role: Role) -> LogIn:
    """Begin a log-in; those of the reader that have expired go."""
    now = int(time.time())
    session.execute(delete(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.expires_at < now))
    family_id = secrets.token_hex(16)
    token = _new_refresh_token(family_id)
    times = {"created_at": now, "used_at": now, "expires_at": now + FAMILY_S}
    digest = hash_token(token)
    session.execute(
        insert(TokenFamily).values(family_id=family_id, user_id=user_id, current_hash=digest, **times)
    )
    return LogIn(user_id, role, family_id, token)


def refresh(session: Session, token: str) -> LogIn | Refusal:
    """Exchange a refresh token for the next one: the same one for all who bring it within GRACE_S.

    A refusal is no exception, since what it ends has to be committed.
    """
    family_id, digest, now, salt = read_family(token), hash_token(token), int(time.time()), _new_salt()
    good = (
        TokenFamily.family_id == family_id,
        TokenFamily.current_hash == digest,
        TokenFamily.revoked_at.is_(None),
        TokenFamily.expires_at > now,
    )
    values = {"current_hash": hash_token(_derive_next(token, salt)), "former_hash": digest, "salt": salt}
    times = {"used_at": now, "expires_at": now + FAMILY_S}
    is_first = count_changed(session, update(TokenFamily).where(*good).values(**values, **times)) > 0
    family = session.execute(_FAMILY, {"family_id": family_id}).one_or_none()
    if family is None or family.revoked_at is not None:
        return Refusal.UNKNOWN
    if family.expires_at <= now:
        return Refusal.EXPIRED
    if is_first or (family.former_hash == digest and family.used_at > now - GRACE_S):
        return LogIn(family.user_id, Role(family.role), family_id, _derive_next(token, family.salt))
    # Nobody else knows the name of the family, so this was a token of it.
    log_out(session, family_id)
    return Refusal.REUSED


def log_out(session: Session, family_id: str) -> None:
    """End a log-in, for ever."""
    _revoke(session, TokenFamily.family_id == family_id)


def log_out_everywhere(session: Session, user_id: int) -> None:
    """End all log-ins of a reader."""
    _revoke(session, TokenFamily.user_id == user_id)


def read_role(session: Session, user_id: int, family_id: str) -> Role | None:
    """The role of a reader whose log-in holds; None if it does not, or the account is gone."""
    role = session.connection().execute(_ROLE, {"user_id": user_id, "family_id": family_id}).scalar()
    return None if role is None else Role(role)


def issue(session: Session, user_id: int, purpose: Purpose, *, good_for_s: int) -> str:
    """A token that is good once; one of the same purpose that the reader had before is not any more."""
    withdraw(session, user_id, purpose)
    token = secrets.token_urlsafe(_N_BYTES)
    values = {"token_hash": hash_token(token), "user_id": user_id, "purpose": purpose}
    session.execute(insert(OneTimeToken).values(**values, expires_at=int(time.time()) + good_for_s))
    return token


def spend(session: Session, token: str, purpose: Purpose) -> int | None:
    """Whose token it was; None if it is not good, or not any more."""
    digest, now = hash_token(token), int(time.time())
    good = (
        OneTimeToken.token_hash == digest,
        OneTimeToken.purpose == purpose,
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > now,
    )
    if not count_changed(session, update(OneTimeToken).where(*good).values(used_at=now)):
        return None
    return session.scalar(select(OneTimeToken.user_id).where(OneTimeToken.token_hash == digest))


def withdraw(session: Session, user_id: int, purpose: Purpose) -> None:
    """Void a reader's tokens of a purpose."""
    session.execute(
        delete(OneTimeToken).where(OneTimeToken.user_id == user_id, OneTimeToken.purpose == purpose)
    )


def read_family(refresh_token: str) -> str:
    """Which log-in a refresh token says that it is of."""
    return refresh_token.partition(".")[0]


def hash_token(token: str) -> str:
    """What is stored of a token or a key: random enough to need no salt, and nothing slow."""
    return hashlib.sha256(token.encode()).hexdigest()


def _revoke(session: Session, families: ColumnElement[bool]) -> None:
    is_open = TokenFamily.revoked_at.is_(None)
    session.execute(update(TokenFamily).where(families, is_open).values(revoked_at=int(time.time())))


def _new_refresh_token(family_id: str) -> str:
    return f"{family_id}.{secrets.token_urlsafe(_N_BYTES)}"


def _new_salt() -> str:
    return secrets.token_hex(16)


def _derive_next(token: str, salt: str) -> str:
    """The token that follows, which can be told again to whoever has the one before, and is not stored."""
    return f"{read_family(token)}.{hmac.digest(token.encode(), salt.encode(), 'sha256').hex()}"
