"""Log-ins, each a family of refresh tokens, and tokens that are good once; hashed here, never stored as sent.

Use what writes within `db.session(write=True)`.
"""

from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from catalog.tables import Account, Role, TokenFamily

_ROLE: Final = (
    select(Account.role)
    .join(TokenFamily, TokenFamily.user_id == Account.user_id)
    .where(
        TokenFamily.family_id == bindparam("family_id"),
        Account.user_id == bindparam("user_id"),
        TokenFamily.revoked_at.is_(None),
    )
)


def read_role(session: Session, user_id: int, family_id: str) -> Role | None:
    """The role of a reader whose log-in holds; None if it does not, or the account is gone."""
    role = session.connection().execute(_ROLE, {"user_id": user_id, "family_id": family_id}).scalar()
    return None if role is None else Role(role)
