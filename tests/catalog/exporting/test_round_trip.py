"""An export read back is the same catalog, on every database and from one to another."""

import itertools
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from catalog.accounts import Credentials, create_reader, find_by_email
from catalog.database import Database, open_database
from catalog.errors import CatalogNotEmpty, ExportDamaged, ExportFolderTaken, ExportTooNew
from catalog.exporting import FileFormat, export_catalog, restore_catalog
from catalog.exporting.description import DESCRIPTION
from catalog.exporting.tables import list_tables
from catalog.identity import read_state
from catalog.importing import import_source
from catalog.jobs import list_jobs
from catalog.merging.merge import merge_books
from catalog.personal import erase
from catalog.ratings import put_rating
from catalog.schema import migrate
from catalog.tables import Base, Book, CatalogIdentity, Event, Job, Rating, User
from tests.catalog.conftest import clear
from tests.catalog.shelf import ListSource, edition, rating, user, work

AWKWARD = 'A "quoted", \\N NULL;\r\nsecond line\ttab \u2028 Brontë 戦争 😀 '
LIBRARY = ListSource(
    work_list=[
        work("A", "Ash", "Ada Lovelace", "Dragons", "Ghosts"),
        work("B", "Birch", "Ben Jonson", "Ghosts", year=-700),
    ],
    edition_list=[edition(1, "Ash", of="A"), edition(2, "Birch", of="B"), edition(3, "Cedar", year="")],
    user_list=[user("1"), user("2", age="", location="")],
    rating_list=[rating("1", 1, "9", at=200), rating("1", 2, "0"), rating("2", 2, "5"), rating("2", 3, "8")],
)

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def full(sqlite: Database) -> Database:
    """A catalog with something awkward in every kind of column."""
    fill(sqlite)
    return sqlite


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    """Another, empty database."""
    with closing(open_database(f"sqlite:///{tmp_path / 'other.db'}")) as database:
        yield database


def fill(db: Database) -> None:
    """Books, a merge, a split, ratings of two kinds, an event, a job."""
    import_source(db, LIBRARY)
    with db.session(write=True) as session:
        session.execute(update(Book).where(Book.external_id == "A").values(description=AWKWARD))
        session.execute(
            update(Book).where(Book.external_id == "B").values(description="", hidden="withdrawn")
        )
        ash, heir = session.scalars(
            select(Book.book_id).where(Book.source == "lists").order_by(Book.external_id)
        ).all()[:2]
        merge_books(session.connection(), {ash: heir}, lost_editions=[])
        session.execute(update(Rating).where(Rating.rating == 5).values(rating=1 + 9 * 0.3, given_here=True))
        session.add(Event(user_id=1, book_id=heir, kind="like", at=None, created_at=2**40))
        met = {"list_id": "5f2c", "surface": 'a "page"', "position": 3}
        session.add(Event(user_id=1, book_id=heir, kind="impression", at=1, **met))


def read_rows(db: Database) -> Rows:
    """All that an export holds, but for the number that changes with every import."""
    rows: Rows = {}
    with db.session() as session:
        for table in Base.metadata.sorted_tables:
            if table.name != Job.__tablename__:
                columns = [
                    column for column in table.columns if column is not CatalogIdentity.__table__.c.revision
                ]
                found = [tuple(row) for row in session.execute(select(*columns))]
                rows[table.name] = sorted(found, key=repr)
    return rows


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_an_export_read_back_is_the_same_catalog(
    db: Database, other: Database, tmp_path: Path, file_format: FileFormat
) -> None:
    fill(db)

    export_catalog(db, tmp_path / "export", file_format)
    restore_catalog(other, tmp_path / "export")

    assert read_rows(other) == read_rows(db)


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_a_catalog_moves_from_sqlite_to_a_server(
    db: Database, other: Database, tmp_path: Path, file_format: FileFormat
) -> None:
    migrate(other)
    fill(other)

    export_catalog(other, tmp_path / "export", file_format)
    restore_catalog(db, tmp_path / "export")

    assert read_rows(db) == read_rows(other)
    with db.session(write=True) as session:
        session.add(User(source="app", external_id="new"))
        session.add(Book(source="app", external_id="new", title="New"))
    assert read_rows(db)["users"] != read_rows(other)["users"]


def test_a_restored_catalog_is_as_it_was_and_no_cache_takes_it_for_what_came_between(
    full: Database, tmp_path: Path
) -> None:
    before = read_rows(full)
    export_catalog(full, tmp_path / "export", FileFormat.PARQUET)
    with full.session(write=True) as session:
        put_rating(session, 1, 3, 1.0)
        session.execute(update(Book).values(title="Spoilt"))
    with full.session() as session:
        spoilt = read_state(session)

    restore_catalog(full, tmp_path / "export")

    assert read_rows(full) == before
    with full.session() as session:
        assert read_state(session) != spoilt
        assert [(job.kind, job.state) for job in list_jobs(session, limit=9)] == [("refresh", "queued")]


def test_accounts_stay_out_of_an_export_and_in_the_catalog_that_is_restored(
    full: Database, tmp_path: Path
) -> None:
    early = Credentials("early@example.org", "Early", "a hash")
    with full.session(write=True) as session:
        early_id = create_reader(session, early)
    export_catalog(full, tmp_path / "export", FileFormat.CSV)
    with full.session(write=True) as session:
        create_reader(session, replace(early, email="late@example.org"))

    restore_catalog(full, tmp_path / "export")

    with full.session() as session:
        kept = find_by_email(session, "early@example.org")
        gone = find_by_email(session, "late@example.org")
    assert kept is not None
    assert (kept.user_id, kept.password_hash, gone) == (early_id, "a hash", None)
    assert not any("Early" in file.read_text() for file in (tmp_path / "export").iterdir())


def test_a_backup_does_not_bring_back_who_had_everything_deleted(full: Database, tmp_path: Path) -> None:
    export_catalog(full, tmp_path / "export", FileFormat.PARQUET)
    with full.session(write=True) as session:
        erase(session, 1)

    restore_catalog(full, tmp_path / "export")
    import_source(full, LIBRARY)

    with full.session() as session:
        assert session.scalars(select(User.external_id)).all() == ["2"]
        assert set(session.scalars(select(Rating.user_id))) == {2}


def test_another_catalog_is_not_replaced(full: Database, other: Database, tmp_path: Path) -> None:
    export_catalog(full, tmp_path / "export", FileFormat.PARQUET)
    import_source(other, ListSource(work_list=[work("Z", "Zelkova")]))
    before = read_rows(other)

    with pytest.raises(CatalogNotEmpty, match="empty database"):
        restore_catalog(other, tmp_path / "export")

    assert read_rows(other) == before


@pytest.mark.parametrize("file_format", list(FileFormat))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=5, max_size=5),
    years=st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), min_size=5, max_size=5),
    values=st.lists(st.none() | st.floats(1, 10), min_size=5, max_size=5),
    flags=st.lists(st.none() | st.booleans(), min_size=5, max_size=5),
)
def test_every_value_comes_back_exactly(
    sqlite: Database,
    tmp_path: Path,
    file_format: FileFormat,
    texts: list[str | None],
    years: list[int | None],
    values: list[float | None],
    flags: list[bool | None],
) -> None:
    clear(sqlite)
    with sqlite.session(write=True) as session:
        session.add(User(user_id=1, source="s", external_id="1"))
        for i, (text, year, value, flag) in enumerate(zip(texts, years, values, flags, strict=False), 1):
            session.add(
                Book(book_id=i, source="s", external_id=str(i), title=text or "", description=text, year=year)
            )
            session.flush()
            session.add(Rating(user_id=1, book_id=i, rating=value, given_here=flag))
    before = read_rows(sqlite)

    export_catalog(sqlite, tmp_path / "export", file_format)
    restore_catalog(sqlite, tmp_path / "export")

    assert read_rows(sqlite) == before


def test_an_export_is_one_moment_of_the_catalog(db: Database, tmp_path: Path) -> None:
    fill(db)
    before = read_rows(db)
    steps = itertools.count(1)

    def rate_meanwhile(stage: str, done: int, total: int | None) -> None:
        with db.session(write=True) as session:
            put_rating(session, 2, 3, float(next(steps) % 10 + 1))

    export_catalog(db, tmp_path / "export", FileFormat.PARQUET, progress=rate_meanwhile)
    restore_catalog(db, tmp_path / "export")

    assert read_rows(db) == before


def test_an_export_tells_what_it_is_and_nothing_of_the_machine(full: Database, tmp_path: Path) -> None:
    export_catalog(full, tmp_path / "export", FileFormat.CSV)

    described = json.loads((tmp_path / "export" / DESCRIPTION).read_text())
    assert described["schema_revision"] == "0005"
    assert {table["name"]: table["n_rows"] for table in described["tables"]}["books"] == 3
    assert "jobs" not in [table["name"] for table in described["tables"]]
    assert not any(str(tmp_path) in file.read_text() for file in (tmp_path / "export").iterdir())


def test_every_table_is_exported_or_left_out_on_purpose() -> None:
    assert set(Base.metadata.tables) - set(list_tables()) == {
        "accounts", "api_keys", "audit_log", "jobs", "one_time_tokens", "token_families",
    }  # fmt: skip


def test_a_backup_holds_every_table_but_jobs_and_log_ins() -> None:
    assert set(Base.metadata.tables) - set(list_tables(private=True)) == {
        "jobs", "one_time_tokens", "token_families",
    }  # fmt: skip


def test_an_export_replaces_an_earlier_one_whole(full: Database, tmp_path: Path) -> None:
    export_catalog(full, tmp_path / "export", FileFormat.CSV)

    export_catalog(full, tmp_path / "export", FileFormat.PARQUET)

    assert {file.suffix for file in (tmp_path / "export").iterdir()} == {".parquet", ".json"}
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["export"]


def test_what_is_no_export_is_not_overwritten(full: Database, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "export.json").write_text("{}")

    with pytest.raises(ExportFolderTaken, match="is no export"):
        export_catalog(full, tmp_path / "photos", FileFormat.CSV)

    assert [file.name for file in (tmp_path / "photos").iterdir()] == ["export.json"]


def test_an_interrupted_export_leaves_what_was_there(full: Database, tmp_path: Path) -> None:
    export_catalog(full, tmp_path / "export", FileFormat.CSV)
    before = {file.name: file.read_bytes() for file in (tmp_path / "export").iterdir()}

    def interrupt(stage: str, done: int, total: int | None) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_catalog(full, tmp_path / "export", FileFormat.CSV, progress=interrupt)

    assert {file.name: file.read_bytes() for file in (tmp_path / "export").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["export"]


def test_a_restore_that_fails_leaves_what_was_there(full: Database, tmp_path: Path) -> None:
    export_catalog(full, tmp_path / "export", FileFormat.CSV)
    with full.session(write=True) as session:
        session.execute(delete(Event))
    before = read_rows(full)

    def interrupt(stage: str, done: int, total: int | None) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_catalog(full, tmp_path / "export", progress=interrupt)

    assert read_rows(full) == before


@pytest.mark.parametrize("file_format", list(FileFormat))
@pytest.mark.parametrize("damage", ["bit", "cut", "gone", "no description", "cut description"])
def test_a_damaged_export_is_refused_before_anything_is_written(
    full: Database, tmp_path: Path, file_format: FileFormat, damage: str
) -> None:
    export_catalog(full, tmp_path / "export", file_format)
    path = tmp_path / "export" / (DESCRIPTION if "description" in damage else f"ratings.{file_format}")
    content = path.read_bytes()
    if damage in ("gone", "no description"):
        path.unlink()
    elif damage == "bit":
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    else:
        path.write_bytes(content[: len(content) // 2])
    target = open_database(f"sqlite:///{tmp_path / 'target.db'}")

    with closing(target), pytest.raises(ExportDamaged, match="nothing was imported"):
        restore_catalog(target, tmp_path / "export")

    assert not (tmp_path / "target.db").exists()


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_a_file_that_does_not_fit_its_description_leaves_nothing(
    full: Database, other: Database, tmp_path: Path, file_format: FileFormat
) -> None:
    description = export_catalog(full, tmp_path / "export", file_format)
    tables = [table.model_copy(update={"n_rows": table.n_rows + 1}) for table in description.tables]
    forged = description.model_copy(update={"tables": tuple(tables)})
    (tmp_path / "export" / DESCRIPTION).write_text(forged.model_dump_json())

    with pytest.raises(ExportDamaged, match="rows"):
        restore_catalog(other, tmp_path / "export")

    assert not read_rows(other)["books"]


@pytest.mark.parametrize(("name", "column"), [("books", "colour"), ("reviews", "text")])
def test_an_export_of_a_later_release_is_refused(
    full: Database, other: Database, tmp_path: Path, name: str, column: str
) -> None:
    description = export_catalog(full, tmp_path / "export", FileFormat.CSV)
    later = description.tables[0].model_copy(update={"name": name, "columns": (column,)})
    newer = description.model_copy(update={"release": "9.0.0", "tables": (*description.tables, later)})
    (tmp_path / "export" / DESCRIPTION).write_text(newer.model_dump_json())

    with pytest.raises(ExportTooNew, match=r"made by bookmesh 9\.0\.0"):
        restore_catalog(other, tmp_path / "export")
