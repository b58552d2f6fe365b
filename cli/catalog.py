"""Commands that fill the catalog and look things up in it: import, users."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from sqlalchemy import select

from catalog.database import Database, open_database
from catalog.schema import check_migrated, prepare
from catalog.settings import CatalogSettings
from catalog.tables import Book
from catalog.users import find_user
from cli.console import err, fail, out
from cli.progress import bars
from telemetry.logs import configure_logging

if TYPE_CHECKING:
    from catalog.importing import ImportReport
    from catalog.sources.records import Source

import_app = typer.Typer(no_args_is_help=True)
users_app = typer.Typer(no_args_is_help=True)


@import_app.command("book-crossing")
def book_crossing(
    folder: Annotated[
        Path, typer.Argument(help="Folder of BX-Books.csv, BX-Users.csv, BX-Book-Ratings.csv.")
    ],
    open_library: Annotated[
        Path | None, typer.Option("--open-library", help="Folder of Open Library's ol_dump_*.txt.gz.")
    ] = None,
) -> None:
    """Import the Book-Crossing dump; with Open Library's, works, subjects and descriptions too."""
    from catalog.sources.book_crossing import BookCrossing

    _import(lambda: BookCrossing(folder, open_library))


@import_app.command("goodbooks")
def goodbooks(
    folder: Annotated[
        Path, typer.Argument(help="Folder of books.csv, tags.csv, book_tags.csv, ratings.csv, to_read.csv.")
    ],
) -> None:
    """Import goodbooks-10k: books with readers' tags, ratings, and what they want to read."""
    from catalog.sources.goodbooks import Goodbooks

    _import(lambda: Goodbooks(folder))


@import_app.command("movielens")
def movielens(
    folder: Annotated[
        Path, typer.Argument(help="Folder of u.data, u.item, u.user; or of ratings.csv, movies.csv.")
    ],
) -> None:
    """Import MovieLens: the set of 100,000 ratings, or a newer one with ratings.csv; films are books."""
    from catalog.sources.movielens import open_movielens

    _import(lambda: open_movielens(folder))


@import_app.command("csv")
def plain_csv(
    folder: Annotated[Path, typer.Argument(help="Folder of ratings.csv and perhaps items.csv.")],
    name: Annotated[str, typer.Option(help="What the catalog calls this source.")] = "csv",
    scale: Annotated[str, typer.Option(help="Lowest and highest rating; they become 1 and 10.")] = "1-10",
    separator: Annotated[str, typer.Option(help="What stands between two fields; or tab.")] = ",",
    encoding: Annotated[str, typer.Option(help="How the files' text is encoded.")] = "utf-8",
) -> None:
    """Import ratings.csv (user, item, rating) and items.csv (item, title, authors, year, isbn, subjects)."""
    from catalog.sources.generic import Generic
    from catalog.sources.mapping import build_mapping

    _import(
        lambda: Generic(folder, build_mapping(name=name, scale=scale, separator=separator, encoding=encoding))
    )


@import_app.command("demo")
def demo(
    books: Annotated[
        int | None, typer.Option(min=100, help="Made-up books instead of the project's own works.")
    ] = None,
    readers: Annotated[int, typer.Option(min=10, help="Made-up readers.")] = 2_000,
    ratings: Annotated[int, typer.Option(min=100, help="Their ratings, about.")] = 40_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same catalog.")] = 1,
    mess: Annotated[bool, typer.Option("--mess", help="With the faults of real dumps.")] = False,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing if the catalog has books already.")
    ] = False,
) -> None:
    """Import the project's own catalog: real works, readers made up."""
    if if_empty and _has_books():
        err.print("the catalog has books already; nothing to import")
        return
    from catalog.demo.mess import Messy
    from catalog.demo.source import Demo

    def build() -> "Source":
        source = Demo(books=books, users=readers, ratings=ratings, seed=seed)
        return Messy(source, seed=seed) if mess else source

    _import(build)


@import_app.command("export")
def exported(
    folder: Annotated[Path, typer.Argument(help="Folder that `bookmesh data export` made.")],
) -> None:
    """Read an export back: into an empty database, or over the catalog that it was made of."""
    from catalog.exporting import restore_catalog

    with closing(open_database(CatalogSettings().catalog_url)) as db, bars() as progress:
        description = restore_catalog(db, folder, progress=progress.update)
    n_rows = sum(table.n_rows for table in description.tables)
    out.print(f"the catalog is as it was at {description.exported_at}: {n_rows:,} rows", highlight=False)


@users_app.command("find")
def find(
    source: Annotated[str, typer.Option(help="Where the reader came from, for example book-crossing.")],
    external_id: Annotated[str, typer.Option(help="The reader's id there.")],
) -> None:
    """Print the user_id of a reader by the id that the source knows them by."""
    db = open_database(CatalogSettings().catalog_url)
    check_migrated(db)
    with db.session() as session:
        user_id = find_user(session, source, external_id)
    if user_id is None:
        fail(f"{source} has no reader {external_id!r} in this catalog")
    typer.echo(user_id)


def _import(build: "Callable[[], Source]") -> None:
    from catalog.importing import import_source, write_report

    settings = CatalogSettings()
    configure_logging("import", level="warning" if err.is_terminal else "info")
    with bars() as progress:
        report = import_source(open_database(settings.catalog_url), build(), progress=progress.update)
    path = write_report(report, settings.home / "reports")
    _print_report(report)
    err.print(f"report: {path}", highlight=False)


def _has_books() -> bool:
    db: Database = open_database(CatalogSettings().catalog_url)
    prepare(db)
    with db.session() as session:
        return session.scalar(select(Book.book_id).limit(1)) is not None


def _print_report(report: "ImportReport") -> None:
    rows = Table(title=f"Import of {report.source}: rows read = kept + dropped", header_style="bold")
    rows.add_column("file")
    for column in ("read", "kept", "dropped"):
        rows.add_column(column, justify="right")
    rows.add_column("why dropped")
    for file in report.files:
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in file.dropped.items())
        dropped = sum(file.dropped.values())
        rows.add_row(file.name, f"{file.n_read:,}", f"{file.n_kept:,}", f"{dropped:,}", reasons)
    out.print(rows)
    totals = Table(title=f"In the catalog after {report.seconds:.0f} s", header_style="bold")
    totals.add_column("what")
    totals.add_column("rows", justify="right")
    for name, n in {**report.totals, **report.repairs}.items():
        totals.add_row(name, f"{n:,}")
    out.print(totals)
