"""The command that brings the catalog's schema up to date: migrate."""

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer

from catalog import schema
from catalog.database import open_database
from catalog.settings import CatalogSettings
from cli.console import err

PENDING_CODE = 3
"""Exit code of `bookmesh migrate --check` when something is pending; 1 and 2 are failures."""


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with code 3 if revisions are pending.")
    ] = False,
    sql: Annotated[
        bool, typer.Option("--sql", help="Change nothing; print the SQL, for an administrator to run.")
    ] = False,
) -> None:
    """Bring the catalog's schema up to what this release needs; make a backup first."""
    with closing(open_database(CatalogSettings().catalog_url)) as db:
        if sql:
            typer.echo(schema.write_sql(db), nl=False)
            return
        state = schema.read_state(db)
        err.print(f"{db.url} {_describe(state)}", highlight=False, soft_wrap=True)
        if check:
            _print_revisions("pending", state.pending)
            raise typer.Exit(PENDING_CODE if state.pending else 0)
        _print_revisions("applied", schema.migrate(db))


def _describe(state: schema.SchemaState) -> str:
    if state.found is None:
        return "has no tables yet"
    what = f"{len(state.pending)} pending" if state.pending else "nothing is pending"
    return f"is at schema {state.found}; {what}"


def _print_revisions(what: str, revisions: Sequence[schema.Revision]) -> None:
    for revision in revisions:
        typer.echo(f"{what} {revision.name}: {revision.summary}")
