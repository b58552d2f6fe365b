"""Commands on merged books: list them, and undo a merge that was wrong."""

from datetime import UTC, datetime
from typing import Annotated

import structlog
import typer
from rich.markup import escape
from rich.table import Table

from catalog.database import Database, open_database
from catalog.editing.books import split_book
from catalog.merging.merged import list_merges
from catalog.schema import check_migrated
from catalog.settings import CatalogSettings
from cli.console import err, number, out
from cli.operator import read_operator
from telemetry.logs import configure_logging

app = typer.Typer(no_args_is_help=True)
log = structlog.get_logger()


@app.command("merges")
def merges(limit: Annotated[int, typer.Option(min=1, help="Most of them to list.")] = 50) -> None:
    """List the books that are part of another one by now, those merged last first."""
    with _open().session() as session:
        rows = list_merges(session, limit=limit)
    table = Table(
        number("book"), "known as", "title", number("part of"), "its title", "since", number("editions"),
        number("ratings"), header_style="bold",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            str(row.book_id),
            escape(f"{row.source} {row.external_id}"),
            escape(row.title),
            str(row.heir_id),
            escape(row.heir_title),
            "-" if row.merged_at is None else f"{datetime.fromtimestamp(row.merged_at, UTC):%Y-%m-%d %H:%M}",
            str(row.n_editions),
            str(row.n_ratings),
        )
    out.print(table)


@app.command("split")
def split(
    book: Annotated[int, typer.Argument(help="The merged book, as `bookmesh books merges` lists it.")],
) -> None:
    """Undo a merge for good: the book has its editions, ratings and dismissals again."""
    configure_logging("books", level="warning" if err.is_terminal else "info")
    with _open().session(write=True) as session:
        heir = split_book(session, book)
    log.info("book_split", book=book, heir=heir, by=read_operator())
    out.print(f"book {book} is no part of book {heir} any more", highlight=False)


def _open() -> Database:
    db = open_database(CatalogSettings().catalog_url)
    check_migrated(db)
    return db
