import sys
import threading
from contextlib import suppress

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from catalog.bulk import RowWriter
from catalog.database import Database, is_our_mistake, open_database
from catalog.errors import DatabaseUrlInvalid
from catalog.subjects import list_subjects
from catalog.tables import Rating, Subject, SubjectAlias, User


def test_sqlite_keeps_a_write_ahead_log_and_foreign_keys(sqlite: Database) -> None:
    with sqlite.session() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys")]

    assert pragmas == ["wal", 1]


def test_a_rating_of_nobody_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError), db.session(write=True) as session:
        session.add(Rating(user_id=1, book_id=1, rating=5.0))


def test_a_long_writer_is_refused_a_rating_of_nobody_too(db: Database) -> None:
    with pytest.raises(IntegrityError), db.reading() as connection, db.writing(connection) as session:
        session.add(Rating(user_id=1, book_id=1, rating=5.0))

    with db.session() as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == 0


def test_a_long_writer_may_write_what_others_refer_to_last(sqlite: Database) -> None:
    with sqlite.reading() as connection, sqlite.writing(connection) as session:
        session.execute(insert(SubjectAlias).values(raw="whodunit", subject_id=1))
        session.execute(insert(Subject).values(subject_id=1, name="Mystery"))

    with sqlite.session() as session:
        assert session.scalar(select(SubjectAlias.raw)) == "whodunit"


@pytest.mark.parametrize("fails", [False, True])
def test_after_a_long_writer_a_connection_refuses_at_once_again(sqlite: Database, fails: bool) -> None:
    with suppress(RuntimeError), sqlite.reading() as connection, sqlite.writing(connection):
        if fails:
            raise RuntimeError

    with sqlite.session() as session:
        assert session.scalar(text("PRAGMA foreign_keys")) == 1


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


@pytest.mark.parametrize("url", ["postgresql://host/name", "postgresql+psycopg://host/name"])
def test_postgresql_needs_its_driver(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "psycopg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(DatabaseUrlInvalid, match=r"bookmesh\[postgresql\]"):
        open_database(url)


def test_the_plain_url_of_postgresql_is_enough(postgresql_url: str) -> None:
    db = open_database(postgresql_url.replace("+psycopg", ""))

    with db.session() as session:
        assert session.scalar(select(1)) == 1
    db.close()


def test_texts_are_in_the_order_of_their_code_points(db: Database) -> None:
    names = ["a b", "B", "é", "Z", "_", "ab", "a-c", "É", "z", "b", "📚", "\ufb00"]
    with db.session(write=True) as session:
        session.add_all(Subject(name=name, is_generic=False, n_books=1) for name in names)

    with db.session() as session:
        assert [row.name for row in list_subjects(session)] == sorted(names)


def test_a_row_without_an_id_gets_one_after_those_that_an_import_gave(db: Database) -> None:
    with db.session(write=True) as session:
        same = {"source": "test", "revision": 0}
        writer = RowWriter.inserting(session.connection(), User, "user_id", "external_id", **same)
        writer.extend((user_id, str(user_id)) for user_id in (1, 2, 7))

    with db.session(write=True) as session:
        session.add(User(source="test", external_id="new"))

    with db.session() as session:
        assert session.scalar(select(User.user_id).filter_by(external_id="new")) not in (1, 2, 7)


def test_what_copying_rows_violates_is_an_error_like_any_other(db: Database) -> None:
    with pytest.raises(IntegrityError) as error, db.session(write=True) as session:
        RowWriter.inserting(session.connection(), Rating, "user_id", "book_id").extend([(1, 1)])

    assert is_our_mistake(error.value)


def test_a_statement_that_was_wrong_is_our_mistake_and_a_server_that_is_away_is_not(db: Database) -> None:
    with pytest.raises(DBAPIError) as wrong, db.session() as session:
        session.execute(text("SELECT nonsense FROM users"))

    assert is_our_mistake(wrong.value)
    for url in ("mysql+pymysql://me@127.0.0.1:9/x", "postgresql+psycopg://me@127.0.0.1:9/x"):
        with pytest.raises(DBAPIError) as away, open_database(url).session() as session:
            session.scalar(select(1))
        assert not is_our_mistake(away.value)


def test_the_url_in_messages_hides_the_password() -> None:
    db = open_database("mysql+pymysql://reader:secret@127.0.0.1/bookmesh")

    assert "secret" not in db.url
    db.close()


def _count_users(db: Database) -> int:
    with db.session() as session:
        return session.scalar(select(func.count()).select_from(User)) or 0
