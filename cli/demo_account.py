"""An account of one of the demo's readers, so that a client can be tried out; its password is in the home."""

import secrets
from pathlib import Path

from sqlalchemy import func, select

from catalog import accounts
from catalog.accounts import DEMO_EMAIL, Credentials
from catalog.database import Database
from catalog.tables import User
from foundation.secret_files import write_secret
from gateway.accounts.passwords import hash_password


def password_path(home: Path) -> Path:
    """Where the password is, if the demo has an account."""
    return home.resolve() / "secrets" / "demo.password"


def keep_demo_account(db: Database, home: Path) -> None:
    """Make the account unless it is there. Its password is drawn: a known one would open every demo."""
    with db.session(write=True) as session:
        user_id = session.scalar(select(func.max(User.user_id)).where(User.source == "demo"))
        if user_id is None or accounts.find_by_email(session, DEMO_EMAIL) is not None:
            return
        password = secrets.token_urlsafe(12)
        accounts.create_account(session, user_id, Credentials(DEMO_EMAIL, "Demo", hash_password(password)))
        write_secret(password_path(home), f"{password}\n".encode())
