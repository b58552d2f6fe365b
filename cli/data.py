"""Commands on the catalog as a whole: report, export."""

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from catalog.database import open_database
from catalog.exporting import FileFormat, export_catalog
from catalog.schema import check_migrated
from catalog.settings import CatalogSettings
from cli.console import out
from cli.import_report import print_report
from cli.progress import bars
from cli.survey import print_survey

app = typer.Typer(help="Look at the catalog as a whole, and write it out.", no_args_is_help=True)


@app.command("export")
def export(
    folder: Annotated[
        Path, typer.Argument(help="A folder that is not there yet, or an earlier export, which goes.")
    ],
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="How to write the tables.")
    ] = FileFormat.PARQUET,
) -> None:
    """Write the whole catalog, as it is now, to a folder; `bookmesh import export` reads it back."""
    with closing(open_database(CatalogSettings().catalog_url)) as db, bars() as progress:
        description = export_catalog(db, folder, file_format, progress=progress.update)
    n_rows = sum(table.n_rows for table in description.tables)
    out.print(f"{folder}: {n_rows:,} rows of {len(description.tables)} tables", highlight=False)


@app.command("report")
def report(
    source: Annotated[str | None, typer.Option(help="Of this source only.")] = None,
    last: Annotated[int, typer.Option(min=0, help="How many imports to tell of.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what the last imports did with every row, and what the catalog holds now."""
    from catalog.importing.report import read_reports
    from catalog.survey import survey

    with closing(open_database(CatalogSettings().catalog_url)) as db:
        check_migrated(db)
        with db.session() as session:
            reports, state = read_reports(session, source=source, last=last), survey(session)
    if as_json:
        typer.echo(json.dumps({"imports": [asdict(each) for each in reports], "catalog": asdict(state)}))
        return
    for each in reports:
        print_report(each)
    print_survey(state)
