"""Commands about keys of services: create, list, revoke."""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from catalog import audit, keys
from cli.changes import changing, reading
from cli.console import err, fail, number
from cli.tables import print_rows
from cli.users import CLI
from gateway.accounts.callers import Scope

Name = Annotated[str, typer.Argument(help="What the key is called, for example by the service it is for.")]
app = typer.Typer(help="Give services keys to the API, list them, revoke them.", no_args_is_help=True)


@app.command("create")
def create(
    name: Name,
    scope: Annotated[list[Scope], typer.Option(help="What it is for; readers: to act for any reader.")],
    rate: Annotated[
        int | None,
        typer.Option("--per-minute", min=1, help="Requests that it may make, other than the settings say."),
    ] = None,
) -> None:
    """Print a new key and nothing else; a service sends it as `Authorization: Bearer KEY`."""
    if not re.fullmatch(keys.KEY_NAME, name):
        fail("a name has 1 to 80 letters, digits, dots, dashes and underscores", code=2)
    with changing("key_created", name=name) as session:
        key = keys.create_key(session, name, scope, rate_per_minute=rate)
        audit.record(session, CLI, "create-key", f"key {name}", {"scopes": sorted(scope)})
    typer.echo(key)
    err.print("nobody can read it again: keep it as a password", highlight=False)


@app.command("list")
def show() -> None:
    """List the keys there are and were, without what they are; `used` is the last minute or so behind."""
    with reading() as session:
        rows = [
            (
                key.key_id,
                key.name,
                key.scopes,
                key.rate_per_minute,
                _time(key.created_at),
                _time(key.used_at),
                _time(key.revoked_at),
            )
            for key in keys.list_keys(session)
        ]
    print_rows(
        (
            number("id"),
            "name",
            "scopes",
            number("per minute"),
            "created (UTC)",
            "used (UTC)",
            "revoked (UTC)",
        ),
        rows,
    )


@app.command("revoke")
def revoke(name: Name) -> None:
    """Let a key be good no more: gateways refuse it within a second or so."""
    with changing("key_revoked", name=name) as session:
        keys.revoke_key(session, name)
        audit.record(session, CLI, "revoke-key", f"key {name}")
    err.print(f"the key {name} is revoked", highlight=False)


def _time(at_s: int | None) -> str:
    return "" if at_s is None else datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M")
