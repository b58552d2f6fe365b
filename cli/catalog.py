"""Commands that fill the catalog: import."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.database import Database, open_database
from catalog.settings import CatalogSettings
from cli import sources
from cli.console import err, fail, out
from cli.demo_account import keep_demo_account
from cli.import_report import print_report
from cli.previews import print_preview
from cli.progress import bars
from telemetry.logs import configure_logging

if TYPE_CHECKING:
    from catalog.importing import ImportReport
    from catalog.sources.records import Source

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Read and clean everything, show what becomes of it, write nothing.")
]
import_app = typer.Typer(help="Fill the catalog from a dump.", no_args_is_help=True)


@import_app.command("book-crossing")
def book_crossing(
    folder: Annotated[
        Path, typer.Argument(help="Folder of BX-Books.csv, BX-Users.csv, BX-Book-Ratings.csv.")
    ],
    open_library: Annotated[
        Path | None, typer.Option("--open-library", help="Folder of Open Library's ol_dump_*.txt.gz.")
    ] = None,
    overrides: Annotated[
        Path | None,
        typer.Option(help="CSV of isbn,work,title,authors: what is one work, what is not."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Import the Book-Crossing dump; with Open Library's, works, subjects and descriptions too."""
    _import(lambda: sources.open_book_crossing(folder, open_library, overrides), dry_run=dry_run)


@import_app.command("goodbooks")
def goodbooks(
    folder: Annotated[
        Path, typer.Argument(help="Folder of books.csv, tags.csv, book_tags.csv, ratings.csv, to_read.csv.")
    ],
    dry_run: DryRun = False,
) -> None:
    """Import goodbooks-10k: books with readers' tags, ratings, and what they want to read."""
    _import(lambda: sources.open_goodbooks(folder), dry_run=dry_run)


@import_app.command("movielens")
def movielens(
    folder: Annotated[
        Path, typer.Argument(help="Folder of u.data, u.item, u.user; or of ratings.csv, movies.csv.")
    ],
    dry_run: DryRun = False,
) -> None:
    """Import MovieLens: the set of 100,000 ratings, or a newer one with ratings.csv; films are books."""
    _import(lambda: sources.open_movielens(folder), dry_run=dry_run)


@import_app.command("csv")
def mapped(
    folder: Annotated[Path, typer.Argument(help="Folder of ratings.csv and perhaps items.csv.")],
    mapping: Annotated[
        Path | None, typer.Option(help="TOML file that tells which files there are, and what is in them.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the catalog calls this source (csv).")] = None,
    scale: Annotated[
        str | None, typer.Option(help="Lowest and highest rating (1-10); they become 1 and 10.")
    ] = None,
    separator: Annotated[str | None, typer.Option(help="What stands between two fields (,); or tab.")] = None,
    encoding: Annotated[str | None, typer.Option(help="How the files' text is encoded (utf-8).")] = None,
    dry_run: DryRun = False,
) -> None:
    """Import anybody's CSV, JSON Lines or Parquet files.

    Without a mapping these are ratings.csv (user_id, item_id, rating) and items.csv (item_id, title).
    """
    given = {"name": name, "scale": scale, "separator": separator, "encoding": encoding}
    options = {key: value for key, value in given.items() if value is not None}
    if mapping and options:
        fail(f"--{next(iter(options))}: write it into {mapping}, which tells all of that", code=2)
    _import(lambda: sources.open_csv(folder, mapping, **options), dry_run=dry_run)


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
    dry_run: DryRun = False,
) -> None:
    """Import the project's own catalog: real works, readers made up."""
    from catalog.demo.mess import Messy
    from catalog.demo.source import Demo
    from catalog.importing import has_books

    with closing(open_database(CatalogSettings().catalog_url)) as db:
        if if_empty and has_books(db):
            err.print("the catalog has books already; nothing to import")
            return

    def build() -> "Source":
        source = Demo(books=books, users=readers, ratings=ratings, seed=seed)
        return Messy(source, seed=seed) if mess else source

    _import(build, dry_run=dry_run)
    settings = CatalogSettings()
    if not dry_run and not settings.production:
        with closing(open_database(settings.catalog_url)) as db:
            keep_demo_account(db, settings.home)


@import_app.command("export")
def exported(
    folder: Annotated[Path, typer.Argument(help="Folder that `bookmesh data export` made.")],
    dry_run: DryRun = False,
) -> None:
    """Read an export back: into an empty database, or over the catalog that it was made of."""
    from catalog.exporting import restore_catalog
    from catalog.importing import temporary_catalog

    opened = temporary_catalog() if dry_run else closing(open_database(CatalogSettings().catalog_url))
    with opened as db, bars() as progress:
        description = restore_catalog(db, folder, progress=progress.update)
    n_rows, would_be = sum(table.n_rows for table in description.tables), "would be" if dry_run else "is"
    out.print(
        f"the catalog {would_be} as it was at {description.exported_at}: {n_rows:,} rows", highlight=False
    )


def _import(build: "Callable[[], Source]", *, dry_run: bool) -> None:
    if dry_run:
        configure_logging("import", level="warning" if err.is_terminal else "info")
        with closing(open_database(CatalogSettings().catalog_url)) as db:
            _preview(db, build())
        return
    report, path = run_import(build)
    print_report(report)
    err.print(f"report: {path}", highlight=False)


def run_import(build: "Callable[[], Source]") -> "tuple[ImportReport, Path]":
    """Import a source; what it did, and the file that tells it. Raises CatalogError."""
    from catalog.importing import import_source, write_report

    settings = CatalogSettings()
    configure_logging("import", level="warning" if err.is_terminal else "info")
    with closing(open_database(settings.catalog_url)) as db, bars() as progress:
        report = import_source(db, build(), progress=progress.update)
    return report, write_report(report, settings.home / "reports")


def _preview(db: Database, source: "Source") -> None:
    from catalog.importing import check_importable, preview_source

    check_importable(db, source)
    with bars() as progress:
        preview = preview_source(source, progress=progress.update)
    print_report(preview.report)
    print_preview(preview)
    if not any(file.n_kept for file in preview.report.files):
        fail("dry run: nothing of it can be kept")
    err.print("dry run: nothing was written; the numbers are those of an import into an empty catalog")
