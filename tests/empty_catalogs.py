"""Empty catalogs in SQLite files: copies of one, as making the tables takes longer than most tests."""

from contextlib import closing
from functools import cache
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from sqlalchemy import update

from catalog.database import Database, open_database
from catalog.schema import migrate
from catalog.tables import CatalogIdentity


def open_empty_catalog(path: Path) -> Database:
    """A catalog in a new file of this name, which is told from every other."""
    path.write_bytes(_migrated_file())
    db = open_database(f"sqlite:///{path}")
    with db.session(write=True) as session:
        session.execute(update(CatalogIdentity).values(catalog_id=token_hex(16)))
    return db


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.db"
        with closing(open_database(f"sqlite:///{path}")) as db:
            migrate(db)
        return path.read_bytes()
