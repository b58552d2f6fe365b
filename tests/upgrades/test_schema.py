"""A catalog of an earlier release is migrated without losing a row, and that release can still use it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.database import Database, open_database
from catalog.schema import check_migrated, migrate, read_state, write_sql
from tests.services import new_mariadb_database
from tests.upgrades.releases import (
    OLD,
    copy_rows,
    read_rows,
    reflect,
    unpack_catalog,
    unpack_release,
)

SAME_SCHEMA = {"0.5.0", "0.6.0", "0.7.0"}
"""Releases whose tables are those of this one."""
PROGRAMS = {"0.1.0": "0.2.0"} | {
    release: release for release in ("0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0")
}
"""The release that makes the tables of each one's catalog."""
MAKE_TABLES = """
import sys
from catalog import database
try:
    from catalog.schema import migrate
except ImportError:
    migrate = database.migrate
migrate(database.open_database(sys.argv[1]))
"""


@pytest.fixture(params=PROGRAMS)
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """The catalog of a home that an earlier release sealed."""
    db = open_database(f"sqlite:///{unpack_catalog(request.param, tmp_path)}")
    yield db
    db.close()


@pytest.fixture
def sealed_in_mariadb(
    sealed: Database, request: pytest.FixtureRequest, tmp_path: Path, mariadb_port: int
) -> Iterator[Database]:
    """The same rows in a MariaDB whose tables the old program made."""
    code = unpack_release(PROGRAMS[request.node.callspec.params["sealed"]], tmp_path / "code")
    with new_mariadb_database(mariadb_port) as url:
        subprocess.run([sys.executable, "-c", MAKE_TABLES, url], cwd=code, check=True)
        db = open_database(url)
        copy_rows(sealed, db)
        yield db
        db.close()


def test_a_migration_of_sqlite_loses_no_row(sealed: Database) -> None:
    check_that_a_migration_loses_no_row(sealed)


def test_a_migration_of_mariadb_loses_no_row(sealed_in_mariadb: Database) -> None:
    check_that_a_migration_loses_no_row(sealed_in_mariadb)


def check_that_a_migration_loses_no_row(db: Database) -> None:
    tables = reflect(db)
    before = read_rows(db, tables)
    assert before["ratings"]

    migrate(db)

    check_migrated(db)
    assert read_rows(db, tables) == before


@pytest.mark.parametrize("sealed", ["0.2.0"], indirect=True)
@pytest.mark.parametrize("interrupted", ["alter_column", "add_column", "create_check_constraint"])
def test_what_was_interrupted_is_run_again(
    sealed_in_mariadb: Database, interrupted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = reflect(sealed_in_mariadb)
    before = read_rows(sealed_in_mariadb, tables)
    with monkeypatch.context() as broken, pytest.raises(OSError, match="killed"):
        broken.setattr(f"alembic.op.{interrupted}", _kill)
        migrate(sealed_in_mariadb)
    assert read_state(sealed_in_mariadb).pending

    migrate(sealed_in_mariadb)

    check_migrated(sealed_in_mariadb)
    assert read_rows(sealed_in_mariadb, tables) == before


@pytest.mark.parametrize("sealed", [OLD], indirect=True)
def test_an_administrator_can_run_the_printed_sql_on_mariadb(sealed_in_mariadb: Database) -> None:
    statements = [each for each in write_sql(sealed_in_mariadb).split(";") if each.strip()]

    with sealed_in_mariadb.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)

    check_migrated(sealed_in_mariadb)
    assert write_sql(sealed_in_mariadb) == ""


@pytest.mark.parametrize("sealed", sorted(PROGRAMS.keys() - SAME_SCHEMA), indirect=True)
def test_a_migration_that_fails_on_sqlite_leaves_the_old_catalog(
    sealed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = reflect(sealed)
    before = read_rows(sealed, tables)
    monkeypatch.setattr("alembic.op.create_table", _kill)

    with pytest.raises(OSError, match="killed"):
        migrate(sealed)

    assert read_rows(sealed, tables) == before
    assert reflect(sealed).tables.keys() == tables.tables.keys()


def _kill(*_: object, **__: object) -> None:
    raise OSError("killed")
