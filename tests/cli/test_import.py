"""`bookmesh import`: every fault of a dump is reported, and leaves the catalog as it was."""

import gzip
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalog.books import read_titles
from catalog.database import open_database
from catalog.demo.source import Demo
from catalog.sources.book_crossing import BOOKS, RATINGS, USERS
from catalog.users import find_user, read_profile
from tests.catalog.dump import write_book_crossing, write_open_library
from tests.homes import DEMO, N_BOOKS, N_READERS, ROOT, Home
from tests.meshes import wait_until

WORKS = "ol_dump_works.txt.gz"
EDITIONS = "ol_dump_editions.txt.gz"
LARGER_DEMO = ("import", "demo", "--books", "4000", "--readers", "2000", "--ratings", "40000")
Spoil = Callable[[Path], object]


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole Book-Crossing dump in bx/, and Open Library's of its works in ol/."""
    folder = tmp_path_factory.mktemp("dump")
    source = Demo(users=60, ratings=900)
    write_book_crossing(source, folder / "bx")
    write_open_library(source, folder / "ol")
    return folder


@pytest.fixture
def own_dump(dump: Path, tmp_path: Path) -> Path:
    """A dump that the test may spoil."""
    return Path(shutil.copytree(dump, tmp_path / "dump"))


def import_dump(dump: Path) -> list[str]:
    return ["import", "book-crossing", str(dump / "bx"), "--open-library", str(dump / "ol")]


def content(home: Home) -> list[str]:
    """Every row of the catalog."""
    connection = sqlite3.connect(home.path / "catalog.db")
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def determined_content(home: Home) -> Counter[str]:
    """The same without what is random or tells the time: identity, revisions, passwords, times, and jobs."""
    rows = (
        row for row in content(home) if not re.match(r'INSERT INTO "(import_reports|jobs|accounts)"', row)
    )
    return Counter(re.sub(r"\b(\d{14,}|1[7-9]\d{8})\b|'[0-9a-f]{32}'", "?", row) for row in rows)


def n_rows(home: Home, table: str) -> int:
    connection = sqlite3.connect(home.path / "catalog.db")
    try:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
    finally:
        connection.close()


def count_rows(home: Home) -> list[int]:
    return [n_rows(home, table) for table in ("books", "users", "ratings")]


def is_being_written(home: Home) -> bool:
    """Whether somebody holds the catalog's write lock."""
    with closing(sqlite3.connect(home.path / "catalog.db", timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


def read_report(home: Home) -> dict[str, Any]:
    """The newest import report."""
    path = max((home.path / "reports").glob("import-*.json"), key=lambda each: each.stat().st_mtime_ns)
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def cut(path: Path) -> None:
    """The first half of a file: what an interrupted download leaves."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def use_commas(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b";", b","))


def keep_header(path: Path) -> None:
    path.write_bytes(path.read_bytes().split(b"\r\n")[0] + b"\r\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def make_text(path: Path) -> None:
    path.write_text("<html>Not found</html>\n")


def compress_nothing(path: Path) -> None:
    path.write_bytes(gzip.compress(b""))


SPOILT = [
    ("bx", BOOKS, Path.unlink, "no such file; the folder must hold BX-Books.csv"),
    ("bx", RATINGS, Path.unlink, "no such file"),
    ("bx", BOOKS, empty, "holds no rows; download it again"),
    ("bx", RATINGS, keep_header, "holds no rows; download it again"),
    ("bx", BOOKS, use_commas, "is it the original, unchanged dump file?"),
    ("bx", USERS, cut, "cut off in the middle"),
    ("ol", WORKS, Path.unlink, "no such file"),
    ("ol", WORKS, make_text, "is it the original, unchanged dump file?"),
    ("ol", EDITIONS, cut, "cut off in the middle"),
    ("ol", EDITIONS, compress_nothing, "holds no rows; download it again"),
]


@pytest.mark.parametrize(
    ("folder", "name", "spoil", "remedy"), SPOILT, ids=[f"{s[1]} {s[2].__name__}" for s in SPOILT]
)
def test_a_spoilt_file_is_named_with_what_to_do_and_changes_nothing(
    imported_home: Home, own_dump: Path, tmp_path: Path, folder: str, name: str, spoil: Spoil, remedy: str
) -> None:
    home = imported_home.copy(tmp_path / "home")
    before = content(home)
    spoil(own_dump / folder / name)

    message = home.fail(*import_dump(own_dump))

    assert str(own_dump / folder / name.removesuffix(".txt.gz")) in message
    assert remedy in message
    assert content(home) == before
    assert len(list((home.path / "reports").iterdir())) == 1


def test_a_whole_dump_is_imported_beside_what_is_there(
    imported_home: Home, dump: Path, tmp_path: Path
) -> None:
    home = imported_home.copy(tmp_path / "home")

    table = home.succeed(*import_dump(dump))

    report = read_report(home)
    assert report["source"] == "book-crossing"
    assert report["totals"]["readers"] == 60
    assert n_rows(home, "users") == N_READERS + 60
    assert BOOKS in table
    assert home.succeed("users", "find", "--source", "book-crossing", "--external-id", "7").strip().isdigit()


def test_plain_ratings_and_items_are_imported_to_the_last_row(empty_home: Home, tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user;item;rating\nada;1;5\nada;2;1\nada;3;7\n")
    (tmp_path / "items.csv").write_text("item;title;author\n1;Ash;Ann Ash\n2;;\n")

    table = empty_home.succeed(
        "import", "csv", str(tmp_path), "--name", "shop", "--scale", "1-5", "--separator", ";"
    )

    assert "rating is not a number" in table
    report = read_report(empty_home)
    assert {file["name"]: (file["n_read"], file["n_kept"]) for file in report["files"]} == {
        "items.csv": (2, 2),
        "ratings.csv": (3, 2),
    }
    db = open_database(f"sqlite:///{empty_home.path / 'catalog.db'}")
    with db.session() as session:
        reader = read_profile(session, find_user(session, "shop", "ada") or 0)
        history = reader.history if reader else ()
        titles = read_titles(session, [book_id for book_id, _ in history])
    db.close()
    rows = [(titles[book_id].title, titles[book_id].authors, rating) for book_id, rating in history]
    assert rows == [("Ash", ("Ann Ash",), 10.0), ("2", (), 1.0)]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["--scale", "five"], "scale 'five': expected the lowest and the highest rating, such as 1-5"),
        (["--separator", ";"], "ratings.csv, line 1: expected a column 'user'"),
        (
            ["--encoding", "ascii"],
            "ratings.csv, line 2: expected text in ascii, found other bytes in 1 lines",
        ),
    ],
)
def test_plain_files_that_cannot_be_read_so_end_the_import_in_one_sentence(
    empty_home: Home, tmp_path: Path, words: list[str], remedy: str
) -> None:
    (tmp_path / "ratings.csv").write_text("user,item,rating\nzoë,1,5\n", encoding="utf-8")

    message = empty_home.fail("import", "csv", str(tmp_path), *words)

    assert remedy in message
    assert not list((empty_home.path / "reports").glob("*.json"))


def test_a_folder_that_is_not_there_is_named(empty_home: Home, tmp_path: Path) -> None:
    message = empty_home.fail("import", "book-crossing", str(tmp_path / "nowhere[/]"))

    assert str(tmp_path / "nowhere[/]" / BOOKS) in message


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("undisturbed") / "home")
    home.succeed(*LARGER_DEMO)
    return home


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_an_import_killed_in_the_middle_and_repeated_ends_where_an_undisturbed_one_does(
    undisturbed: Home, empty_home: Home, seconds: float
) -> None:
    empty_home.succeed("migrate")  # so that what is written is the import
    process = subprocess.Popen(
        empty_home.command(*LARGER_DEMO),
        cwd=ROOT,
        env=empty_home.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: is_being_written(empty_home))
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)

    assert process.wait() == -signal.SIGKILL
    assert count_rows(empty_home) in ([0, 0, 0], count_rows(undisturbed))
    empty_home.succeed(*LARGER_DEMO)
    assert read_report(empty_home)["totals"] == read_report(undisturbed)["totals"]
    assert read_report(empty_home)["files"] == read_report(undisturbed)["files"]
    found, expected = determined_content(empty_home), determined_content(undisturbed)
    assert list(((found - expected) + (expected - found)).elements())[:10] == []


def test_a_repeated_import_keeps_every_row_and_id(imported_home: Home, tmp_path: Path) -> None:
    home = imported_home.copy(tmp_path / "home")
    tables = ("books", "editions", "authors", "users", "ratings", "subjects")
    before = [n_rows(home, table) for table in tables]
    user_id = home.succeed("users", "find", "--source", "demo", "--external-id", "400")

    home.succeed(*DEMO)

    assert [n_rows(home, table) for table in tables] == before
    assert home.succeed("users", "find", "--source", "demo", "--external-id", "400") == user_id


def test_the_counts_of_a_messy_import_add_up_and_name_the_reasons(empty_home: Home) -> None:
    table = empty_home.succeed(*DEMO, "--mess")

    report = read_report(empty_home)
    assert all(file["n_read"] == file["n_kept"] + sum(file["dropped"].values()) for file in report["files"])
    reasons = {reason for file in report["files"] for reason in file["dropped"]}
    assert len(reasons) >= 3
    assert [reason for reason in reasons if reason[:20] not in table] == []
    assert report["repairs"]
    assert report["totals"]["books"] == N_BOOKS
    assert n_rows(empty_home, "ratings") == report["totals"]["ratings"]


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_if_empty_leaves_a_filled_catalog_alone(
    imported_home: Home, tmp_path: Path, words: tuple[str, ...]
) -> None:
    home = imported_home.copy(tmp_path / "home")
    before = content(home)

    done = home.run("import", "demo", "--if-empty", *words)

    assert done.returncode == 0
    assert "nothing to import" in done.stderr
    assert not done.stdout
    assert content(home) == before


def test_if_empty_fills_an_empty_catalog(empty_home: Home) -> None:
    shown = empty_home.succeed(*DEMO, "--if-empty", "--dry-run")
    assert "First books" in shown
    assert not (empty_home.path / "catalog.db").exists()

    empty_home.succeed(*DEMO, "--if-empty")

    assert n_rows(empty_home, "books") == N_BOOKS


@pytest.mark.parametrize(
    ("url", "code", "remedy"),
    [
        ("nonsense", 2, "an example: sqlite:///"),
        ("mysql+pymysql://root@127.0.0.1:9/x", 1, "BOOKMESH_DATABASE_URL"),
    ],
)
def test_a_database_that_cannot_be_used_ends_the_import_in_one_sentence(
    empty_home: Home, url: str, code: int, remedy: str
) -> None:
    message = empty_home.fail(*DEMO, code=code, BOOKMESH_DATABASE_URL=url)

    assert remedy in message


def test_a_home_that_cannot_be_made_ends_the_import_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    message = Home(tmp_path / "file" / "home").fail(*DEMO)

    assert "BOOKMESH_HOME" in message


def test_a_reader_of_a_source_is_found_and_a_stranger_is_not(imported_home: Home) -> None:
    found = imported_home.succeed("users", "find", "--source", "demo", "--external-id", "3")
    message = imported_home.fail("users", "find", "--source", "demo", "--external-id", "[/b]")

    assert found.strip().isdigit()
    assert "demo has no reader '[/b]'" in message


@pytest.mark.parametrize("words", [DEMO, ("import", "csv", "CSV"), ("import", "book-crossing", "DUMP")])
def test_a_dry_run_shows_what_would_be_and_writes_nothing(
    imported_home: Home, dump: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    home = imported_home.copy(tmp_path / "home")
    before = content(home)
    files = tmp_path / "csv"
    files.mkdir()
    (files / "ratings.csv").write_text("user_id,item_id,rating\nada,1,5\nada,1,eleven\n")
    (files / "items.csv").write_text("item_id,title\n1,[b]Ash\n")
    folders = {"CSV": str(files), "DUMP": str(dump / "bx")}

    done = home.run(*(folders.get(word, word) for word in words), "--dry-run")

    assert done.returncode == 0
    assert all(word in done.stdout for word in ("First books", "First ratings", "rows read"))
    if "CSV" in words:
        assert "[b]Ash" in done.stdout
        assert re.search(r"rating is not a number from 1 to 10 +1 .*\n +line 3\b", done.stdout)
    assert "dry run: nothing was written" in done.stderr
    assert content(home) == before
    assert len(list((home.path / "reports").iterdir())) == 1


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ("user,item,rating\n", "ratings.csv: holds no rows"),
        ("user,item,rating\nada,1,99\n", "dry run: nothing of it can be kept"),
    ],
)
def test_the_code_of_a_dry_run_tells_that_the_import_is_good_for_nothing(
    empty_home: Home, tmp_path: Path, ratings: str, message: str
) -> None:
    (tmp_path / "ratings.csv").write_text(ratings)
    (tmp_path / "items.csv").write_text("item,title\n,Ash\n")

    assert message in empty_home.fail("import", "csv", str(tmp_path), "--dry-run")

    assert not (empty_home.path / "catalog.db").exists()


def test_a_mapping_file_tells_all_that_the_options_would(empty_home: Home, tmp_path: Path) -> None:
    mapping = tmp_path / "shop.toml"
    mapping.write_text('name = "shop"\nscale = "1-5"\n[ratings]\nfile = "r.jsonl"\nuser = "by.id"\n')
    (tmp_path / "r.jsonl").write_text('{"by": {"id": 1}, "item": "Ash", "rating": 4}\n')
    words = "import", "csv", str(tmp_path), "--mapping", str(mapping)

    refused = empty_home.fail(*words, "--scale", "1-10", code=2)
    empty_home.succeed(*words)

    assert f"--scale: write it into {mapping}" in refused
    assert read_report(empty_home)["source"] == "shop"
    mapping.write_text(mapping.read_text().replace("1-5", "1-10"))
    assert "stored as on a scale of 1-5, this import has 1-10" in empty_home.fail(*words, "--dry-run")
