"""Commands on the catalog as a whole: export."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from catalog.database import open_database
from catalog.exporting import FileFormat, export_catalog
from catalog.settings import CatalogSettings
from cli.console import out
from cli.progress import bars

app = typer.Typer(no_args_is_help=True)


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
