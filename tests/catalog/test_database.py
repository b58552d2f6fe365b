import threading

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from catalog.database import Database, open_database
from catalog.errors import DatabaseUrlInvalid
from catalog.tables import Rating, User


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
