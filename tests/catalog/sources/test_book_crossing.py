import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from catalog.database import Database
from catalog.demo.mess import Messy
from catalog.demo.source import Demo
from catalog.errors import (
    SourceError,
    SourceFileEmpty,
    SourceFileMissing,
    SourceFileTruncated,
    SourceFormatWrong,
)
from catalog.importing import import_source
from catalog.sources.book_crossing import BOOKS, RATINGS, USERS, BookCrossing
from catalog.tables import Base, Book, Rating, User
from tests.catalog.dump import write_book_crossing, write_open_library

WORKS, EDITIONS, AUTHORS = (f"ol_dump_{kind}.txt.gz" for kind in ("works", "editions", "authors"))
N_READERS = 50


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dump in both formats."""
    folder = tmp_path_factory.mktemp("written")
    write_book_crossing(Messy(Demo(users=N_READERS, ratings=500)), folder)
    write_open_library(Demo(users=N_READERS, ratings=500), folder)
    return folder


@pytest.fixture
def dump(written: Path, tmp_path: Path) -> Path:
    """A copy of the dump that a test may damage."""
    return Path(shutil.copytree(written, tmp_path / "dump"))


def edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def count(db: Database, table: type[Base]) -> int:
    with db.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_written_dump_comes_back_as_the_books_and_readers_it_was_made_of(db: Database, dump: Path) -> None:
    demo = import_source(db, Messy(Demo(users=N_READERS, ratings=500))).totals

    back = import_source(db, BookCrossing(dump, dump))

    same = ("books", "editions", "ratings", "explicit ratings", "readers", "books with subjects", "subjects")
    assert {name: back.totals[name] for name in same} == {name: demo[name] for name in same} | {"editions": 0}
    assert all(file.n_read == file.n_kept + sum(file.dropped.values()) for file in back.files)
    assert [file.name for file in back.files] == [AUTHORS, WORKS, EDITIONS, BOOKS, USERS, RATINGS]


def test_without_open_library_the_books_are_the_same_but_have_no_subjects(
    sqlite: Database, dump: Path
) -> None:
    totals = import_source(sqlite, BookCrossing(dump)).totals

    assert totals["books"] == 688
    assert totals["subjects"] == 0


def test_progress_ends_at_the_size_of_every_file(sqlite: Database, dump: Path) -> None:
    last: dict[str, tuple[int, int | None]] = {}

    import_source(
        sqlite,
        BookCrossing(dump, dump),
        progress=lambda stage, done, total: last.__setitem__(stage, (done, total)),
    )

    assert {name: last[name] for name in (BOOKS, USERS, RATINGS, WORKS)} == {
        name: (size, size)
        for name in (BOOKS, USERS, RATINGS, WORKS)
        for size in [(dump / name).stat().st_size]
    }


def test_rows_with_too_few_fields_are_dropped_and_counted(sqlite: Database, dump: Path) -> None:
    edit(dump / RATINGS, lambda text: text + b'"17";"034545104X"\r\n"18"\r\n')
    edit(dump / BOOKS, lambda text: text + b'"9999900000";"Lost half"\r\n')

    report = import_source(sqlite, BookCrossing(dump))

    dropped = {file.name: file.dropped.get("too few fields", 0) for file in report.files}
    assert dropped == {BOOKS: 1, USERS: 0, RATINGS: 2}


def test_backslashes_quotes_and_semicolons_within_fields_are_read(sqlite: Database, dump: Path) -> None:
    row = rb'"999990002X";"He said \"no; never\" \\ twice &amp; left";"Ann Ash";"1999";"P";"";"";""' + b"\r\n"
    edit(dump / BOOKS, lambda text: text + row)

    import_source(sqlite, BookCrossing(dump))

    with sqlite.session() as session:
        title = session.scalar(select(Book.title).filter_by(external_id="999990002X"))
    assert title == 'He said "no; never" \\ twice & left'


DAMAGES: dict[str, tuple[str, Callable[[Path], None], type[SourceError], str]] = {
    "missing": (RATINGS, lambda path: path.unlink(), SourceFileMissing, "the folder must hold BX-Books.csv"),
    "missing dump": (WORKS, lambda path: path.unlink(), SourceFileMissing, "must hold ol_dump_works"),
    "empty": (BOOKS, lambda path: path.write_bytes(b"") and None, SourceFileEmpty, "download it again"),
    "only a header": (
        USERS,
        lambda path: edit(path, lambda text: text[: text.index(b"\n") + 1]),
        SourceFileEmpty,
        "holds no rows",
    ),
    "another format": (
        BOOKS,
        lambda path: edit(path, lambda text: text.replace(b";", b",")),
        SourceFormatWrong,
        "expected the header 'ISBN;Book-Title",
    ),
    "another file": (
        RATINGS,
        lambda path: path.write_bytes(b"PK\x03\x04 not text\n") and None,
        SourceFormatWrong,
        "found a zip archive; unpack it",
    ),
    "cut off in a row": (
        RATINGS,
        lambda path: edit(path, lambda text: text[:-7]),
        SourceFileTruncated,
        "cut off",
    ),
    "cut off in a quote": (
        BOOKS,
        lambda path: edit(path, lambda text: text[: len(text) // 2].rpartition(b'";"')[0] + b'";"a'),
        SourceFileTruncated,
        "cut off",
    ),
    "cut off gzip": (
        EDITIONS,
        lambda path: edit(path, lambda text: text[:-500]),
        SourceFileTruncated,
        "cut off",
    ),
    "not gzip": (
        AUTHORS,
        lambda path: edit(path, gzip.decompress),
        SourceFormatWrong,
        "expected gzip",
    ),
    "gzip of something else": (
        WORKS,
        lambda path: path.write_bytes(gzip.compress(b"a,b,c\n1,2,3\n")) and None,
        SourceFormatWrong,
        "expected type, key, revision, time, JSON",
    ),
    "gzip without the end of a line": (
        WORKS,
        lambda path: edit(path, lambda text: gzip.compress(gzip.decompress(text)[:-9])),
        SourceFileTruncated,
        "cut off",
    ),
    "empty gzip": (
        WORKS,
        lambda path: path.write_bytes(gzip.compress(b"")) and None,
        SourceFileEmpty,
        "no rows",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_stops_the_import_with_its_name_and_leaves_nothing(
    sqlite: Database, dump: Path, damage: str
) -> None:
    name, apply, error, message = DAMAGES[damage]
    apply(dump / name)

    with pytest.raises(error, match=message) as stopped:
        import_source(sqlite, BookCrossing(dump, dump))

    assert name.partition(".")[0] in str(stopped.value)
    assert (count(sqlite, Book), count(sqlite, User), count(sqlite, Rating)) == (0, 0, 0)


def test_a_failed_import_leaves_the_catalog_that_was_there(sqlite: Database, dump: Path) -> None:
    before = import_source(sqlite, BookCrossing(dump, dump)).totals["ratings"]
    edit(dump / RATINGS, lambda text: text[:-7])

    with pytest.raises(SourceFileTruncated):
        import_source(sqlite, BookCrossing(dump, dump))

    assert count(sqlite, Rating) == before
