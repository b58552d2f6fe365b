"""Revisions that are looked up in the thread of whoever needs them."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.database import Database, open_database
from catalog.tables import User
from catalog.users import InlineRevisions, bump_revision, read_revision
from tests.empty_catalogs import open_empty_catalog

READER = 7


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Database]:
    with closing(open_empty_catalog(tmp_path / "catalog.db")) as db:
        with db.session(write=True) as session:
            session.add(User(user_id=READER, source="tests", external_id="7"))
        yield db


@pytest.fixture
def revisions(catalog: Database) -> Iterator[InlineRevisions]:
    with closing(InlineRevisions(catalog)) as revisions:
        yield revisions


def _read(db: Database, user_id: int = READER) -> str | None:
    with db.session() as session:
        return read_revision(session, user_id)


def _bump(db: Database) -> str | None:
    with db.session(write=True) as session:
        bump_revision(session, READER)
    return _read(db)


def test_a_revision_is_that_of_a_session(catalog: Database, revisions: InlineRevisions) -> None:
    assert revisions.find(READER) == _read(catalog) is not None


def test_it_is_the_new_one_as_soon_as_another_process_has_written(
    catalog: Database, revisions: InlineRevisions, tmp_path: Path
) -> None:
    seen = [revisions.find(READER)]
    with closing(open_database(f"sqlite:///{tmp_path / 'catalog.db'}")) as other:
        for _ in range(3):
            assert revisions.find(READER) == seen[-1]
            seen.append(_bump(other))
            assert revisions.find(READER) == seen[-1]

    assert len(set(seen)) == 4


def test_nothing_is_told_of_an_unknown_reader(revisions: InlineRevisions) -> None:
    assert revisions.find(8) is None


def test_a_look_up_keeps_no_log_from_shrinking(
    catalog: Database, revisions: InlineRevisions, tmp_path: Path
) -> None:
    revisions.find(READER)
    _bump(catalog)

    with closing(sqlite3.connect(tmp_path / "catalog.db")) as other:
        is_busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    assert not is_busy


def test_a_file_that_is_locked_is_not_waited_for(
    catalog: Database, revisions: InlineRevisions, tmp_path: Path
) -> None:
    before = revisions.find(READER)
    catalog.close()
    revisions.close()
    with closing(sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)) as owner:
        owner.execute("PRAGMA locking_mode = EXCLUSIVE")
        owner.execute("BEGIN EXCLUSIVE")
        owner.execute("COMMIT")

        locked_out = revisions.find(READER)

    assert (locked_out, revisions.find(READER)) == (None, before)


def test_of_a_file_that_is_gone_nothing_is_told_until_it_is_back(
    revisions: InlineRevisions, tmp_path: Path
) -> None:
    before = revisions.find(READER)
    file = tmp_path / "catalog.db"

    aside = file.rename(tmp_path / "aside.db")
    gone = revisions.find(READER)
    aside.rename(file)

    assert (gone, revisions.find(READER)) == (None, before)


def test_a_file_that_takes_its_place_is_read_once_a_session_has_opened_it(
    catalog: Database, revisions: InlineRevisions, tmp_path: Path
) -> None:
    file = tmp_path / "catalog.db"
    with closing(open_empty_catalog(tmp_path / "next.db")) as successor:
        with successor.session(write=True) as session:
            session.add(User(user_id=READER, source="next", external_id="7"))
        expected = _read(successor)
    before = revisions.find(READER)

    shutil.move(tmp_path / "next.db", file)
    replaced = revisions.find(READER)
    opened = _read(catalog)

    assert before != expected
    assert (replaced, opened, revisions.find(READER)) == (None, expected, expected)
    assert _bump(catalog) == revisions.find(READER) != expected
    with closing(sqlite3.connect(file)) as whole:
        assert whole.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
