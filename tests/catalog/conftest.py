"""Empty catalogues on the databases that we promise to run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.database import Database, migrate, open_database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty catalogue in an SQLite file."""
    yield from _open(f"sqlite:///{tmp_path / 'catalog.db'}")


@pytest.fixture(params=["sqlite", "mariadb"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty catalogue, once in SQLite and once in a real MariaDB."""
    url = (
        f"sqlite:///{tmp_path / 'catalog.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("mariadb_url")
    )
    yield from _open(url)


def _open(url: str) -> Iterator[Database]:
    database = open_database(url)
    migrate(database)
    yield database
    database.close()
