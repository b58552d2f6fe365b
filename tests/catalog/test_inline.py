"""Readers who are looked up in the thread of whoever needs them."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from catalog.database import Database, open_database
from catalog.tables import (
    Author,
    Book,
    Event,
    Hidden,
    Rating,
    Subject,
    User,
    UserAuthor,
    UserSubject,
)
from catalog.users import InlineUsers, bump_revision, read_profile, read_revision
from tests.empty_catalogs import open_empty_catalog

READER = 7


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Database]:
    with closing(open_empty_catalog(tmp_path / "catalog.db")) as db:
        with db.session(write=True) as session:
            _fill(session)
        yield db


def _fill(session: Session) -> None:
    """Reader 7 with something of everything; reader 8 the same, and favourite authors."""
    books = [
        {"book_id": n, "source": "tests", "external_id": str(n), "title": f"Book {n}", "hidden": None}
        for n in range(1, 9)
    ]
    books[2]["hidden"] = Hidden.WITHDRAWN
    session.execute(insert(Book), books)
    session.execute(update(Book).where(Book.book_id == 8).values(replaced_by=1))
    session.execute(insert(Subject), [{"subject_id": n, "name": f"Subject {n}"} for n in (1, 2)])
    session.execute(insert(Author).values(author_id=1, name="Author", name_key="author"))
    for user_id in (READER, 8):
        session.execute(
            insert(User).values(user_id=user_id, source="tests", external_id=str(user_id), gender="F")
        )
        session.execute(
            insert(Rating),
            [
                {"user_id": user_id, "book_id": book_id, "rating": rating, "rated_at": rated_at}
                for book_id, rating, rated_at in [(3, 9, 50), (1, None, 60), (2, 7.5, None), (4, 1, 40)]
            ],
        )
        session.execute(
            insert(Event),
            [
                {"user_id": user_id, "book_id": book_id, "kind": kind, "at": at}
                for at, (book_id, kind) in enumerate(
                    [(5, "like"), (5, "view"), (5, "view"), (6, "dismiss"), (7, "impression"), (2, "click")]
                )
            ],
        )
        session.execute(
            insert(UserSubject),
            [{"user_id": user_id, "subject_id": n, "position": 2 - n} for n in (1, 2)],
        )
    session.execute(insert(UserAuthor).values(user_id=8, author_id=1, position=0))


@pytest.fixture
def inline(catalog: Database) -> Iterator[InlineUsers]:
    with closing(InlineUsers(catalog)) as inline:
        yield inline


def _read(db: Database, user_id: int = READER) -> str | None:
    with db.session() as session:
        return read_revision(session, user_id)


def _bump(db: Database) -> str | None:
    with db.session(write=True) as session:
        bump_revision(session, READER)
    return _read(db)


def test_a_revision_is_that_of_a_session(catalog: Database, inline: InlineUsers) -> None:
    assert inline.find_revision(READER) == _read(catalog) is not None


def test_it_is_the_new_one_as_soon_as_another_process_has_written(
    catalog: Database, inline: InlineUsers, tmp_path: Path
) -> None:
    seen = [inline.find_revision(READER)]
    with closing(open_database(f"sqlite:///{tmp_path / 'catalog.db'}")) as other:
        for _ in range(3):
            assert inline.find_revision(READER) == seen[-1]
            seen.append(_bump(other))
            assert inline.find_revision(READER) == seen[-1]

    assert len(set(seen)) == 4


def test_a_profile_is_that_of_a_session(catalog: Database, inline: InlineUsers) -> None:
    with catalog.session() as session:
        expected = read_profile(session, READER)

    assert inline.find_profile(READER) == expected
    assert expected is not None
    assert expected.history == ((2, 7.5), (4, 1.0), (3, 9.0), (1, None))
    assert expected.events == ((2, "click"), (5, "like"), (5, "view"))
    assert (expected.dismissed, expected.hidden, expected.replaced) == ({6}, {3}, {8})
    assert expected.favourite_subjects == ("Subject 2", "Subject 1")
    assert expected.traits == ("gender=female",)


def test_a_session_has_to_read_who_has_favourite_authors(inline: InlineUsers) -> None:
    assert inline.find_profile(8) is None


def test_a_session_has_to_read_who_has_read_very_much(
    inline: InlineUsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.sqlite.MOST_INLINE_ROWS", 3)

    assert inline.find_profile(READER) is None
    assert inline.find_revision(READER) is not None


def test_nothing_is_told_of_an_unknown_reader(inline: InlineUsers) -> None:
    assert (inline.find_revision(9), inline.find_profile(9)) == (None, None)


def test_a_look_up_keeps_no_log_from_shrinking(
    catalog: Database, inline: InlineUsers, tmp_path: Path
) -> None:
    inline.find_revision(READER)
    _bump(catalog)

    with closing(sqlite3.connect(tmp_path / "catalog.db")) as other:
        is_busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    assert not is_busy


def test_a_file_that_is_locked_is_not_waited_for(
    catalog: Database, inline: InlineUsers, tmp_path: Path
) -> None:
    before = inline.find_revision(READER)
    catalog.close()
    inline.close()
    with closing(sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)) as owner:
        owner.execute("PRAGMA locking_mode = EXCLUSIVE")
        owner.execute("BEGIN EXCLUSIVE")
        owner.execute("COMMIT")

        locked_out = inline.find_revision(READER)

    assert (locked_out, inline.find_revision(READER)) == (None, before)


def test_of_a_file_that_is_gone_nothing_is_told_until_it_is_back(inline: InlineUsers, tmp_path: Path) -> None:
    before = inline.find_revision(READER)
    file = tmp_path / "catalog.db"

    aside = file.rename(tmp_path / "aside.db")
    gone = inline.find_revision(READER)
    aside.rename(file)

    assert (gone, inline.find_revision(READER)) == (None, before)


def test_a_file_that_takes_its_place_is_read_once_a_session_has_opened_it(
    catalog: Database, inline: InlineUsers, tmp_path: Path
) -> None:
    file = tmp_path / "catalog.db"
    with closing(open_empty_catalog(tmp_path / "next.db")) as successor:
        with successor.session(write=True) as session:
            session.add(User(user_id=READER, source="next", external_id="7"))
        expected = _read(successor)
    before = inline.find_revision(READER)

    shutil.move(tmp_path / "next.db", file)
    replaced = inline.find_revision(READER)
    opened = _read(catalog)

    assert before != expected
    assert (replaced, opened, inline.find_revision(READER)) == (None, expected, expected)
    assert _bump(catalog) == inline.find_revision(READER) != expected
    with closing(sqlite3.connect(file)) as whole:
        assert whole.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
