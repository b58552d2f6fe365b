"""Empty catalogs on the databases that we promise to run on."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from catalog.database import Database, open_database
from catalog.schema import migrate
from catalog.tables import Base, Book, CatalogIdentity
from tests.empty_catalogs import open_empty_catalog
from tests.services import new_mariadb_database, new_postgresql_database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty catalog in an SQLite file."""
    with closing(open_empty_catalog(tmp_path / "catalog.db")) as database:
        yield database


@pytest.fixture(scope="session")
def mariadb(mariadb_port: int) -> Iterator[Database]:
    """A catalog in a real MariaDB, shared by all tests: making its tables takes seconds."""
    with new_mariadb_database(mariadb_port) as url, _migrated(url) as database:
        yield database


@pytest.fixture(scope="session")
def postgresql(postgresql_port: int) -> Iterator[Database]:
    """A catalog in a real PostgreSQL, shared likewise."""
    with new_postgresql_database(postgresql_port) as url, _migrated(url) as database:
        yield database


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def db(request: pytest.FixtureRequest) -> Database:
    """An empty catalog, in each of the databases."""
    database: Database = request.getfixturevalue(request.param)
    clear(database)
    return database


def clear(database: Database) -> None:
    """Empty every table but that of the catalog's own name."""
    with database.session(write=True) as session:
        session.execute(update(Book).values(replaced_by=None))
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != CatalogIdentity.__tablename__:
                session.execute(delete(table))


@contextmanager
def _migrated(url: str) -> Iterator[Database]:
    database = open_database(url)
    migrate(database)
    yield database
    database.close()
