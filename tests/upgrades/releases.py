"""Earlier releases as programs, and the catalogs that they sealed."""

import tarfile
import zipfile
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, delete, insert, select

from catalog.database import Database
from catalog.schema import OLDEST_KNOWN_TABLE, SCHEMA_TABLE
from tests.upgrades.seal_home import CATALOG, HOMES

OLD = "0.7.0"
"""The release that must still be able to run on what this one migrated."""
WHEELS = Path(__file__).parent / "releases"


def unpack_release(release: str, folder: Path) -> Path:
    """The code of an earlier release, in a folder from which `python -m cli.main` runs it."""
    zipfile.ZipFile(WHEELS / f"bookmesh-{release}-py3-none-any.whl").extractall(folder)
    return folder


def unpack_catalog(release: str, folder: Path) -> Path:
    """The catalog that a release sealed."""
    with tarfile.open(HOMES / f"{release}.tar.xz") as archive:
        archive.extract(CATALOG, folder, filter="data")
    return folder / CATALOG


def copy_rows(source: Database, target: Database) -> None:
    """Fill the tables of a new database, which may be of another kind."""
    tables = reflect(source)
    with source.engine.connect() as reading, target.engine.begin() as writing:
        for table in tables.sorted_tables:
            writing.execute(delete(table))  # a migration leaves a row here and there
            if rows := [dict(row._mapping) for row in reading.execute(select(table))]:
                writing.execute(insert(table), rows)


def read_rows(db: Database, tables: MetaData) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of these tables, with the columns that they had when they were reflected."""
    with db.engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for name, table in tables.tables.items()
        }


def reflect(db: Database) -> MetaData:
    """The tables as they are now, without those that tell how far the schema is."""
    tables = MetaData()
    tables.reflect(db.engine, only=lambda name, _: name not in (OLDEST_KNOWN_TABLE, SCHEMA_TABLE))
    return tables
