"""Damaged lines cost themselves and nothing else; what is no dump at all is called what it is."""

import errno
import gzip
import os
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from catalog.database import Database
from catalog.errors import SourceError
from catalog.importing import ImportReport, import_source
from catalog.sources.book_crossing import BOOKS, FORMAT, RATINGS, USERS, BookCrossing
from catalog.sources.csv_rows import CsvFormat, read_csv
from catalog.sources.generic import Generic
from catalog.sources.mapping import Mapping
from catalog.sources.records import Source
from catalog.tables import Book, Rating
from tests.catalog.sources.lines import damaged, write_cut, wrongly_typed
from tests.catalog.sources.small_sets import SMALL_SETS, open_set, write_set
from tests.empty_catalogs import open_empty_catalog

ITEMS, PLAIN_RATINGS = "items.csv", "ratings.csv"
WORKS, EDITIONS, AUTHORS = (f"ol_dump_{kind}.txt.gz" for kind in ("works", "editions", "authors"))
PLAIN = {
    ITEMS: b"item,title,authors,year,isbn,subjects\n"
    b'a1,"Ash, a ""tree""",Ann Ash;Ben Birch,1999.0,,Dragons;Ghosts\n'
    b'b2,"Birch\nin two lines",,-50,,\nc3,,Cy Cedar,,,\n'
    + b"".join(b"%d,Title %d,,,,\n" % (i, i) for i in range(20)),
    PLAIN_RATINGS: b"user,item,rating,rated_at\nada,a1,8,2020-01-02\nbob,b2,,1577923200\n"
    + b"".join(b'"%d","%d",7,\n' % (i, i) for i in range(20)),
}
FUZZED = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dump in both formats, and plain files."""
    folder = tmp_path_factory.mktemp("cut")
    write_cut(folder)
    for name, content in PLAIN.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A catalog for imports one after another, as making its tables takes longer than one of them."""
    with closing(open_empty_catalog(tmp_path_factory.mktemp("catalog") / "catalog.db")) as db:
        yield db


def read(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def write(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


@contextmanager
def changed(path: Path, content: bytes) -> Iterator[None]:
    """The file with other content, for as long as the block."""
    before = path.read_bytes()
    write(path, content)
    try:
        yield
    finally:
        path.write_bytes(before)


def import_all(db: Database, folder: Path, name: str) -> ImportReport | None:
    """Import what the file belongs to; None if it is refused as a whole, which then has written nothing."""
    return import_or_refuse(db, Generic(folder, Mapping()) if name in PLAIN else BookCrossing(folder, folder))


def import_or_refuse(db: Database, source: Source) -> ImportReport | None:
    before = count(db, Rating)
    try:
        report = import_source(db, source)
    except SourceError:
        assert count(db, Rating) == before
        return None
    assert all(file.n_read == file.n_kept + sum(file.dropped.values()) for file in report.files)
    return report


def count(db: Database, table: type[Book] | type[Rating]) -> int:
    with db.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("name", [BOOKS, USERS, RATINGS, WORKS, EDITIONS, AUTHORS, ITEMS, PLAIN_RATINGS])
@given(data=st.data())
@FUZZED
def test_lines_with_any_damage_are_dropped_with_a_reason(
    catalog: Database, cut: Path, name: str, data: st.DataObject
) -> None:
    lines = read(cut / name).splitlines(keepends=True)
    for number in data.draw(st.sets(st.integers(1, len(lines) - 2), min_size=1, max_size=6)):
        ways = [damaged(lines[number]), wrongly_typed(lines[number])][: 1 + name.endswith(".gz")]
        lines[number] = data.draw(st.one_of(ways))

    with changed(cut / name, b"".join(lines)):
        report = import_all(catalog, cut, name)

    assert report is not None or not is_utf8(b"".join(lines))


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in SMALL_SETS for name in SMALL_SETS[kind]])
@given(data=st.data())
@settings(FUZZED, max_examples=8)
def test_damaged_lines_of_the_other_sets_are_dropped_with_a_reason(
    catalog: Database, tmp_path: Path, kind: str, name: str, data: st.DataObject
) -> None:
    folder = write_set(kind, tmp_path)
    lines = read(folder / name).splitlines(keepends=True)
    for number in data.draw(st.sets(st.integers(1, len(lines) - 1), min_size=1)):
        lines[number] = data.draw(damaged(lines[number]))

    with changed(folder / name, b"".join(lines)):
        report = import_or_refuse(catalog, open_set(kind, folder))

    assert report is not None or not is_utf8(b"".join(lines))


@pytest.mark.parametrize(
    ("name", "layout"), [(BOOKS, FORMAT), (USERS, FORMAT), (RATINGS, FORMAT), (PLAIN_RATINGS, CsvFormat())]
)
@given(data=st.data())
@settings(FUZZED, max_examples=150)
def test_a_damaged_line_leaves_its_neighbours_whole(
    cut: Path, name: str, layout: CsvFormat, data: st.DataObject
) -> None:
    lines = read(cut / name).splitlines(keepends=True)
    number = data.draw(st.integers(1, len(lines) - 2))
    undamaged = [row for _, row in read_csv(cut / name, layout, lambda *_: None)]
    lines[number] = data.draw(damaged(lines[number]).filter(lambda line: b"\xff" not in line))

    with changed(cut / name, b"".join(lines)):
        rows = [row for _, row in read_csv(cut / name, layout, lambda *_: None)]

    assert rows[:number] == undamaged[:number]
    assert rows[number - len(lines) + 1 :] == undamaged[number + 1 :]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'9,"He said "no" twice",7,\n', "quote in the wrong place"),
        (b'9,"never closed,7,\n', "quote never closed"),
        (b"9,1\x00,7,\n", "NUL byte"),
        (b"9," + b"x" * 200_000 + b",7,\n", "line too long"),
    ],
)
def test_a_line_is_dropped_for_a_reason_that_says_what_is_wrong(
    sqlite: Database, tmp_path: Path, line: bytes, reason: str
) -> None:
    (tmp_path / PLAIN_RATINGS).write_bytes(
        b"user,item,rating,rated_at\n" + line + b'8,"1",7,\n' * 1 + b"7,1,8,\n"
    )

    report = import_source(sqlite, Generic(tmp_path, Mapping()))

    assert report.files[-1].dropped == {reason: 1}
    assert report.files[-1].n_kept == 2


def test_one_line_in_another_encoding_is_dropped_and_many_are_named(sqlite: Database, tmp_path: Path) -> None:
    rows = [b"%d,b,7\n" % number for number in range(300)]
    (tmp_path / PLAIN_RATINGS).write_bytes(b"user,item,rating\nzo\xeb,b,7\n" + b"".join(rows))

    report = import_source(sqlite, Generic(tmp_path, Mapping()))

    assert report.files[-1].dropped == {"bytes that are no text": 1}
    (tmp_path / PLAIN_RATINGS).write_bytes(b"user,item,rating\n" + b"zo\xeb,b,7\n" * 4 + b"".join(rows))
    with pytest.raises(SourceError, match=r"text in utf-8, found other bytes in 4 lines.*name its encoding"):
        import_source(sqlite, Generic(tmp_path, Mapping()))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_is_read_whatever_program_saved_it(
    sqlite: Database, tmp_path: Path, encoding: str, end: str
) -> None:
    rows = ("user,item,rating", "Zoë,b,7", "Bob,b,8", "")
    (tmp_path / PLAIN_RATINGS).write_bytes(end.join(rows).encode(encoding))

    report = import_source(sqlite, Generic(tmp_path, Mapping()))

    assert report.totals["ratings"] == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_dump_is_read_though_a_program_saved_it_anew(sqlite: Database, cut: Path, encoding: str) -> None:
    expected = import_source(sqlite, BookCrossing(cut, cut)).totals
    text = read(cut / BOOKS).decode("latin-1")

    with changed(cut / BOOKS, text.encode(encoding)):
        again = import_source(sqlite, BookCrossing(cut, cut)).totals

    assert again == expected


def zip_of(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "text")


JUNK: dict[str, tuple[Callable[[Path], object], str]] = {
    "zip": (lambda path: zip_of(path, "BX-Books.csv"), "a zip archive"),
    "xlsx": (lambda path: zip_of(path, "[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
    "gzip": (lambda path: path.write_bytes(gzip.compress(b"a;b\n")), "expected"),
    "parquet": (lambda path: pq.write_table(pa.table({"a": [1]}), path), "a Parquet file"),
    "page": (lambda path: path.write_text("\n<!DOCTYPE html><p>Sign in"), "a web page; download it again"),
    "noise": (lambda path: path.write_bytes(bytes(range(1, 256)) * 9), "expected"),
    "NUL bytes": (lambda path: path.write_bytes(bytes(3_000)), "expected"),
    "a folder": (lambda path: path.mkdir(), "is a folder, where a file must be"),
    "a pipe": (lambda path: os.mkfifo(path), "is no ordinary file"),
    "nothing": (lambda path: path.touch(), "holds no rows"),
    "only spaces": (lambda path: path.write_text("\n \n"), "expected"),
}


@pytest.mark.parametrize("name", [RATINGS, WORKS, ITEMS, PLAIN_RATINGS])
@pytest.mark.parametrize("junk", JUNK)
def test_what_stands_in_the_place_of_a_file_is_called_what_it_is(
    catalog: Database, cut: Path, tmp_path: Path, name: str, junk: str
) -> None:
    folder = Path(shutil.copytree(cut, tmp_path / "cut"))
    (folder / name).unlink()
    put, message = JUNK[junk]
    put(folder / name)
    if name == WORKS:
        message = message.partition(";")[0]
    before = count(catalog, Book)

    with pytest.raises(SourceError, match=message) as refused:
        import_source(catalog, Generic(folder, Mapping()) if name in PLAIN else BookCrossing(folder, folder))

    assert name.partition(".")[0] in str(refused.value)
    assert count(catalog, Book) == before


def test_a_file_in_the_place_of_the_folder_and_one_that_is_locked_are_named(tmp_path: Path) -> None:
    path = tmp_path / PLAIN_RATINGS
    path.write_bytes(PLAIN[PLAIN_RATINGS])

    with pytest.raises(SourceError, match=r"ratings.csv: is a file; name the folder that holds ratings.csv"):
        Generic(path, Mapping())
    with (
        pytest.raises(SourceError, match=r"ratings.csv: cannot be read: Permission denied"),
        patch.object(Path, "open", side_effect=PermissionError(errno.EACCES, "Permission denied")),
    ):
        list(read_csv(path, CsvFormat(), lambda *_: None))


def test_a_line_of_100_mb_costs_itself_and_hardly_any_memory(tmp_path: Path) -> None:
    path = tmp_path / PLAIN_RATINGS
    with path.open("wb") as file:
        file.write(b"user,item,rating\n1,a,5\n")
        file.writelines(b"x" * 1_000_000 for _ in range(100))
        file.write(b"\n2,a,5\n")
    tracemalloc.start()

    rows = list(read_csv(path, CsvFormat(), lambda *_: None))

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == [
        (1, ["user", "item", "rating"]), (2, ["1", "a", "5"]), (3, "line too long"), (4, ["2", "a", "5"]),
    ]  # fmt: skip
    assert peak_bytes < 5_000_000


def test_a_record_of_20_mb_is_dropped(catalog: Database, cut: Path) -> None:
    lines = read(cut / WORKS).splitlines(keepends=True)
    before = import_source(catalog, BookCrossing(cut, cut))

    with changed(cut / WORKS, b"".join([*lines, lines[-1][:100] + b"x" * 20_000_000 + b"\n"])):
        report = import_source(catalog, BookCrossing(cut, cut))

    dropped = {file.name: file.dropped for file in report.files}
    assert dropped.pop(WORKS).pop("line too long") == 1
    assert report.totals == before.totals
