"""Accounts: who has one, how they come to be, how they change.

Use what writes within `db.session(write=True)`. No error and no entry of the audit log names e-mail or name.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog import tokens
from catalog.errors import AccountTaken, AccountUnknown, EmailTaken, UserBrought, UserUnknown
from catalog.identity import new_revision
from catalog.tables import FIRST_OWN_ID, OWN_SOURCE, Account, BroughtUser, Purpose, Role, User

DEMO_EMAIL: Final = "demo@example.org"
"""Of the account that comes with the demo."""
CLAIM_S: Final = 7 * 24 * 3600
"""How long a link to an account is good for."""
_LARGEST_ID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """How a reader signs in."""

    user_id: int
    email: str
    name: str
    password_hash: str | None
    role: Role
    created_at: int
    """Seconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody who gets an account brings."""

    email: str
    """As `fold_email` makes it."""
    name: str
    password_hash: str


def create_reader(session: Session, credentials: Credentials, *, role: Role = Role.READER) -> int:
    """The user_id of a new reader with an account. Raises EmailTaken."""
    user_id = create_user(session)
    _create_account(session, user_id, credentials, role)
    return user_id


def create_user(session: Session) -> int:
    """The user_id of a new reader without an account: a service acts for them."""
    user_id = _draw_id(session)
    values = {"source": OWN_SOURCE, "external_id": secrets.token_hex(16), "revision": new_revision()}
    session.execute(insert(User).values(user_id=user_id, created_at=int(time.time()), **values))
    return user_id


def find_brought(session: Session, external_hash: str) -> tuple[int, str] | None:
    """The reader whom a service has brought under an id, and the hash of what it told of them."""
    brought = session.get(BroughtUser, external_hash)
    return None if brought is None else (brought.user_id, brought.form_hash)


def note_brought(session: Session, user_id: int, external_hash: str, form_hash: str) -> None:
    """Remember under which id a service brings a reader. Raises UserBrought if another one has it by now."""
    values = {"external_hash": external_hash, "user_id": user_id, "form_hash": form_hash}
    try:
        session.execute(insert(BroughtUser).values(values))
    except IntegrityError:
        raise UserBrought from None


def create_account(session: Session, user_id: int, credentials: Credentials) -> None:
    """Give a reader who has none an account. Raises AccountTaken, EmailTaken."""
    _check_has_none(session, user_id)
    _create_account(session, user_id, credentials, Role.READER)


def claim(session: Session, token: str, credentials: Credentials) -> int | None:
    """Give the imported reader to whom a link was handed out an account; None if the link is not good.

    Raises EmailTaken, and AccountTaken.
    """
    user_id = tokens.spend(session, token, Purpose.CLAIM)
    if user_id is None:
        return None
    create_account(session, user_id, credentials)
    return user_id


def issue_claim(session: Session, user_id: int) -> str:
    """A token with which an imported reader gets an account. Raises UserUnknown, AccountTaken."""
    if session.get(User, user_id) is None:
        raise UserUnknown(user_id)
    _check_has_none(session, user_id)
    return tokens.issue(session, user_id, Purpose.CLAIM, good_for_s=CLAIM_S)


def find_by_email(session: Session, email: str) -> StoredAccount | None:
    """The account of an e-mail as `fold_email` makes it."""
    return _find(session, Account.email == email)


def find_account(session: Session, user_id: int) -> StoredAccount | None:
    """The account of a reader, if they have one."""
    return _find(session, Account.user_id == user_id)


def lock_account(session: Session, user_id: int) -> StoredAccount | None:
    """The same, which nobody else changes until the end of the transaction."""
    session.execute(select(Account.user_id).where(Account.user_id == user_id).with_for_update())
    return find_account(session, user_id)


def set_password(session: Session, user_id: int, password_hash: str) -> None:
    """Set a new password: all log-ins end, and a mailed token is not good any more."""
    values = {"password_hash": password_hash, "password_changed_at": int(time.time())}
    session.execute(update(Account).where(Account.user_id == user_id).values(values))
    tokens.log_out_everywhere(session, user_id)
    tokens.withdraw(session, user_id, Purpose.RESET)


def set_role(session: Session, email: str, role: Role) -> int:
    """Let an account be a reader's or an admin's; its user_id. Raises AccountUnknown."""
    account = find_by_email(session, email)
    if account is None:
        raise AccountUnknown
    session.execute(update(Account).where(Account.user_id == account.user_id).values(role=role))
    return account.user_id


def rename(session: Session, user_id: int, *, email: str | None, name: str | None) -> None:
    """Change e-mail or name; None stays as it is. What was mailed to the former e-mail is good no more.

    Raises EmailTaken.
    """
    given = {"email": email, "name": name}
    values = {key: value for key, value in given.items() if value is not None}
    if not values:
        return
    try:
        session.execute(update(Account).where(Account.user_id == user_id).values(values))
    except IntegrityError:
        raise EmailTaken from None
    if email is not None:
        tokens.withdraw(session, user_id, Purpose.RESET)


def select_of_themselves(source: str) -> Select[int]:
    """Readers of a source who have told of themselves here: they know better than it."""
    told = select(Account.user_id).join(User, User.user_id == Account.user_id)
    return told.where(User.source == source, Account.profile_changed_at.is_not(None))


def _create_account(session: Session, user_id: int, credentials: Credentials, role: Role) -> None:
    now = int(time.time())
    values = {
        "email": credentials.email,
        "name": credentials.name,
        "password_hash": credentials.password_hash,
    }
    try:
        session.execute(insert(Account).values(user_id=user_id, role=role, created_at=now, **values))
    except IntegrityError:
        raise EmailTaken from None  # not `from` what the driver says, which quotes the e-mail


def _draw_id(session: Session) -> int:
    """An id that nobody has.

    Random: so nobody learns how many readers there are, no import's new ones get in the way, and the id of
    one who has left does not come back.
    """
    while True:
        user_id = FIRST_OWN_ID + secrets.randbelow(_LARGEST_ID - FIRST_OWN_ID)
        if session.get(User, user_id) is None:
            return user_id


def _check_has_none(session: Session, user_id: int) -> None:
    if find_account(session, user_id) is not None:
        raise AccountTaken(user_id)


def _find(session: Session, condition: ColumnElement[bool]) -> StoredAccount | None:
    columns = (Account.user_id, Account.email, Account.name, Account.password_hash, Account.role)
    row = session.execute(select(*columns, Account.created_at).where(condition)).one_or_none()
    return None if row is None else StoredAccount(**{**row._mapping, "role": Role(row.role)})
