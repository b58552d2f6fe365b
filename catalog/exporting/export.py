"""Writes the whole catalog to a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, select

from catalog.arrow_batches import build_schema, open_consistent, read_batches, select_all
from catalog.database import Database
from catalog.errors import ExportDamaged, ExportFolderTaken
from catalog.exporting.description import (
    Description,
    FileFormat,
    TableFile,
    read_description,
    read_digest,
    write_description,
)
from catalog.exporting.originals import read_with_originals
from catalog.exporting.table_files import write_batches
from catalog.exporting.tables import list_tables
from catalog.schema import check_migrated, read_state
from catalog.sources.row_log import Progress
from catalog.tables import Base, CatalogIdentity, Rating


def export_catalog(
    db: Database,
    folder: Path,
    file_format: FileFormat,
    *,
    private: bool = False,
    progress: Progress | None = None,
) -> Description:
    """Write every table as it is at one moment, for a backup the private ones too.

    The folder appears when all are written. An earlier export in it is replaced. Raises ExportFolderTaken for
    a folder of anything else.
    """
    check_migrated(db)
    named = list_tables(private=private)
    with _appearing(folder.absolute()) as partial, open_consistent(db) as connection:
        tables = []
        for name, table in named.items():
            tables.append(_export_table(connection, table, partial / f"{name}.{file_format}", file_format))
            if progress:
                progress("tables", len(tables), len(named))
        description = Description(
            schema_revision=str(read_state(db).found),
            catalog_id=str(connection.scalar(select(CatalogIdentity.catalog_id))),
            exported_at=datetime.now(UTC).isoformat(timespec="seconds"),
            file_format=file_format,
            tables=tuple(tables),
        )
        write_description(description, partial)
    return description


def _export_table(
    connection: Connection, table: type[Base], path: Path, file_format: FileFormat
) -> TableFile:
    query = select_all(table)
    if table is Rating:
        schema, batches = read_with_originals(connection)
    else:
        schema, batches = build_schema(query), read_batches(connection, query)
    n_rows = write_batches(path, file_format, schema, batches)
    columns = tuple(query.selected_columns.keys())
    return TableFile(name=table.__tablename__, columns=columns, n_rows=n_rows, sha256=read_digest(path))


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` when the block ends, and goes when it raises."""
    _check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        new, former = Path(scratch, "new"), Path(scratch, "former")
        new.mkdir()
        yield new
        _check_free(folder)
        if folder.exists():
            folder.rename(former)
        new.rename(folder)


def _check_free(folder: Path) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        read_description(folder)
    except ExportDamaged:
        raise ExportFolderTaken(folder) from None
