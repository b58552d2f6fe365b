"""The schema and the way to it."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from catalog.database import Database, open_database
from catalog.errors import SchemaMissing, SchemaOutdated, SchemaTooNew
from catalog.schema import (
    OLDEST_KNOWN_TABLE,
    SCHEMA_TABLE,
    check_migrated,
    migrate,
    prepare,
    read_state,
    write_sql,
)
from catalog.tables import Base

BOOKKEEPING = {OLDEST_KNOWN_TABLE, SCHEMA_TABLE}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables, of those that migrate all or nothing."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    db = open_database(url)
    yield db
    db.close()


def execute(db: Database, statement: str) -> None:
    with db.session(write=True) as session:
        session.execute(text(statement))


def test_the_migrations_make_exactly_the_tables_of_the_models(db: Database) -> None:
    options = {"include_name": lambda name, kind, _: not (kind == "table" and name in BOOKKEEPING)}

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_every_text_is_compared_by_its_code_points(db: Database) -> None:
    if db.engine.dialect.name == "sqlite":
        return  # it does so by itself
    expected = {"mysql": "utf8mb4_bin", "postgresql": "C"}[db.engine.dialect.name]
    texts = (
        "SELECT table_name, column_name, collation_name FROM information_schema.columns WHERE table_schema "
        "IN (database(), 'public') AND data_type IN ('varchar', 'text', 'longtext', 'character varying')"
    )
    if expected == "C":
        texts = texts.replace("database(), ", "")

    with db.session() as session:
        found = {row for row in session.execute(text(texts)) if row[0] not in BOOKKEEPING}

    assert len(found) > 20
    assert {row for row in found if row[2] != expected} == set()


def test_an_administrator_can_run_the_printed_sql(empty: Database) -> None:
    statements = [each for each in write_sql(empty).split(";") if each.strip()]

    with closing(empty.engine.raw_connection()) as connection:
        for statement in statements:
            connection.cursor().execute(statement)

    check_migrated(empty)


def test_a_database_without_tables_is_refused_with_the_remedy(empty: Database) -> None:
    with pytest.raises(SchemaMissing, match=r"has no tables yet.*bookmesh import"):
        check_migrated(empty)


def test_an_empty_database_is_prepared(empty: Database) -> None:
    prepare(empty)

    check_migrated(empty)


def test_migrating_again_changes_nothing(db: Database) -> None:
    assert migrate(db) == []

    check_migrated(db)


def test_an_outdated_schema_is_refused_and_never_prepared(sqlite: Database) -> None:
    execute(sqlite, f"UPDATE {SCHEMA_TABLE} SET version_num = '0001'")

    with pytest.raises(SchemaOutdated, match=r"at schema 0001.*bookmesh migrate") as refused:
        prepare(sqlite)
    assert "import" not in str(refused.value)


def test_a_later_schema_that_only_adds_is_accepted(sqlite: Database) -> None:
    execute(sqlite, f"UPDATE {SCHEMA_TABLE} SET version_num = '9999'")

    check_migrated(sqlite)
    assert migrate(sqlite) == []
    assert read_state(sqlite).found == "9999"


@pytest.mark.parametrize("check", [check_migrated, migrate, prepare, write_sql])
def test_a_later_schema_that_has_removed_something_is_refused(sqlite: Database, check: object) -> None:
    for table in BOOKKEEPING:
        execute(sqlite, f"UPDATE {table} SET version_num = '9999'")

    with pytest.raises(SchemaTooNew, match="the release that migrated it"):
        check(sqlite)  # type: ignore[operator]


def test_a_migration_that_fails_leaves_no_table(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alembic.op.create_index", _fail)

    with pytest.raises(OSError, match="disk full"):
        migrate(empty)

    assert inspect(empty.engine).get_table_names() == []


def test_of_those_who_migrate_at_the_same_time_one_does(empty: Database) -> None:
    applied: list[int] = []
    migrants = [threading.Thread(target=lambda: applied.append(len(migrate(empty)))) for _ in range(4)]

    for migrant in migrants:
        migrant.start()
    for migrant in migrants:
        migrant.join()

    assert sorted(applied)[:3] == [0, 0, 0]
    assert sorted(applied)[3] > 0


def _fail(*_: object, **__: object) -> None:
    raise OSError("disk full")
