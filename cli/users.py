"""Commands about readers: look one up, hand out a link to an account, delete one, make an admin."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Final

import typer
from sqlalchemy.orm import Session

from catalog import accounts, audit, personal
from catalog.accounts import Credentials
from catalog.database import open_database
from catalog.emails import fold_email
from catalog.schema import check_migrated
from catalog.settings import CatalogSettings
from catalog.tables import Purpose, Role
from catalog.users import find_user
from cli.console import err, fail
from gateway.accounts.mails import build_link
from gateway.accounts.passwords import LONGEST, SHORTEST, hash_password
from gateway.settings import GatewaySettings

CLI: Final = "cli"
"""Who did what the audit log tells of."""

Email = Annotated[str, typer.Argument(help="E-mail of the account.")]
app = typer.Typer(help="Look readers up, let them claim accounts, make admins.", no_args_is_help=True)


@app.command("find")
def find(
    source: Annotated[str, typer.Option(help="Where the reader came from, for example book-crossing.")],
    external_id: Annotated[str, typer.Option(help="The reader's id there.")],
) -> None:
    """Print the user_id of a reader by the id that the source knows them by."""
    with _session() as session:
        user_id = find_user(session, source, external_id)
    if user_id is None:
        fail(f"{source} has no reader {external_id!r} in this catalog")
    typer.echo(user_id)


@app.command("claim-link")
def claim_link(
    user: Annotated[int, typer.Argument(help="user_id of an imported reader without an account.")],
) -> None:
    """Print a link by which an imported reader gets an account; it is good once, for a week."""
    with _session(write=True) as session:
        token = accounts.issue_claim(session, user)
        audit.record(session, CLI, "claim-link", f"user {user}")
    page_url = GatewaySettings().gateway.accounts.page_url
    typer.echo(build_link(None if page_url is None else str(page_url), Purpose.CLAIM, token))
    err.print("whoever has it gets the account: hand it to nobody but the reader", highlight=False)


@app.command("delete")
def delete(
    user: Annotated[int, typer.Argument(help="user_id of the reader.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete everything about a reader, for ever: no import brings them back."""
    if not yes:
        typer.confirm(f"Delete everything about user {user}, for ever?", abort=True)
    with _session(write=True) as session:
        personal.erase(session, user)
        audit.record(session, CLI, "delete", f"user {user}")
    err.print(f"everything about user {user} is deleted", highlight=False)


@app.command("create-admin")
def create_admin(
    email: Email, name: Annotated[str, typer.Option(help="How they are addressed.")] = "Admin"
) -> None:
    """Make an account for an admin; the password is asked for, or the first line of standard input."""
    folded, password = fold_email(email), _read_password()
    with _session(write=True) as session:
        credentials = Credentials(folded, name, hash_password(password))
        user_id = accounts.create_reader(session, credentials, role=Role.ADMIN)
        audit.record(session, CLI, "create-admin", f"user {user_id}")
    typer.echo(user_id)


@app.command("promote")
def promote(email: Email) -> None:
    """Make the reader of an account an admin."""
    _set_role(email, Role.ADMIN)


@app.command("demote")
def demote(email: Email) -> None:
    """Make an admin a reader like any other."""
    _set_role(email, Role.READER)


def _set_role(email: str, role: Role) -> None:
    with _session(write=True) as session:
        user_id = accounts.set_role(session, fold_email(email), role)
        audit.record(session, CLI, "set-role", f"user {user_id}", {"role": role})
    err.print(f"user {user_id} is {role} from now on", highlight=False)


def _read_password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if not SHORTEST <= len(password) <= LONGEST:
        fail(f"a password has {SHORTEST} to {LONGEST} characters", code=2)
    return password


@contextmanager
def _session(*, write: bool = False) -> Iterator[Session]:
    with closing(open_database(CatalogSettings().catalog_url)) as db:
        check_migrated(db)
        with db.session(write=write) as session:
            yield session
