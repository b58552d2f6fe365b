import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from catalog.database import Database, check_migrated, migrate, open_database
from catalog.errors import DatabaseNotMigrated, DatabaseUrlInvalid
from catalog.tables import Base, Rating, User


def test_the_migrations_make_exactly_the_tables_of_the_models(db: Database) -> None:
    with db.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert differences == []


def test_a_database_without_tables_is_refused_with_the_remedy(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'empty.db'}")

    with pytest.raises(DatabaseNotMigrated, match=r"has no tables yet.*bookmesh import"):
        check_migrated(db)
    db.close()


def test_a_migrated_database_is_accepted_and_migrating_again_changes_nothing(db: Database) -> None:
    migrate(db)

    check_migrated(db)


def test_a_migration_that_fails_leaves_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'catalog.db'}")
    monkeypatch.setattr("alembic.op.create_index", _fail)

    with pytest.raises(OSError, match="disk full"):
        migrate(db)

    assert inspect(db.engine).get_table_names() == []
    db.close()


def test_sqlite_keeps_a_write_ahead_log_and_foreign_keys(sqlite: Database) -> None:
    with sqlite.session() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys")]

    assert pragmas == ["wal", 1]


def test_a_rating_of_nobody_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError), db.session(write=True) as session:
        session.add(Rating(user_id=1, book_id=1, rating=5.0))


def test_a_session_that_raises_leaves_nothing(db: Database) -> None:
    with pytest.raises(RuntimeError), db.session(write=True) as session:
        session.add(User(source="test", external_id="1"))
        session.flush()
        raise RuntimeError

    assert _count_users(db) == 0


def test_writers_that_read_first_take_turns(sqlite: Database) -> None:
    def add_one_more() -> None:
        with sqlite.session(write=True) as session:
            n = session.scalar(select(func.count()).select_from(User)) or 0
            session.add(User(source="test", external_id=str(n)))

    writers = [threading.Thread(target=add_one_more) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert _count_users(sqlite) == 8


def test_names_that_differ_in_case_or_accent_are_two(db: Database) -> None:
    with db.session(write=True) as session:
        session.add_all(
            User(source="test", external_id=name) for name in ("bronte", "Bronte", "brontë", "📚")
        )

    assert _count_users(db) == 4


@pytest.mark.parametrize("url", ["", "no url", "nosuchdatabase://host/name"])
def test_what_is_no_database_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match="sqlite:///"):
        open_database(url)


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(DatabaseUrlInvalid, match="pip install"):
        open_database("oracle+oracledb://host/name")


def test_the_url_in_messages_hides_the_password() -> None:
    db = open_database("mysql+pymysql://reader:secret@127.0.0.1/bookmesh")

    assert "secret" not in db.url
    db.close()


def _count_users(db: Database) -> int:
    with db.session() as session:
        return session.scalar(select(func.count()).select_from(User)) or 0


def _fail(*_: object, **__: object) -> None:
    raise OSError("disk full")
