"""Which lines of a file were dropped, and for what."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import pytest

from catalog.database import Database
from catalog.importing import import_source
from catalog.sources.book_crossing import BOOKS, RATINGS, BookCrossing
from catalog.sources.csv_rows import LONGEST_LINE, MOST_LINES_OF_ROW, CsvFormat, read_csv
from catalog.sources.generic import Generic
from catalog.sources.mapping import Mapping
from catalog.sources.row_log import MAX_LINES, RowLog
from tests.catalog.sources.lines import write_cut

WORKS = "ol_dump_works.txt.gz"
HEADER = b"user,item,rating\n"


def ignore(stage: str, done: int, total: int | None) -> None:
    """Nobody watches."""


def read_numbers(path: Path, content: bytes) -> list[tuple[int, str]]:
    """The line and the first field, or what is wrong, of each row."""
    path.write_bytes(HEADER + content)
    rows = list(read_csv(path, CsvFormat(), ignore))[1:]
    return [(line, row if isinstance(row, str) else row[0]) for line, row in rows]


def damage(path: Path, numbers: Iterable[int], content: bytes) -> None:
    """Write something else in some lines of a dump."""
    packed = path.suffix == ".gz"
    lines = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).splitlines(keepends=True)
    for number in numbers:
        lines[number - 1] = content
    path.write_bytes(gzip.compress(b"".join(lines)) if packed else b"".join(lines))


def test_the_first_lines_are_told_for_each_reason() -> None:
    log = RowLog(ignore)
    for line in range(1, 10):
        log.read("file", line)
        log.drop("file", "odd" if line % 2 else "even")
    log.read("other")
    log.drop("other", "from nowhere")

    file, other = log.file_reports()

    assert file.dropped == {"odd": 5, "even": 4}
    assert file.lines == {"odd": [1, 3, 5, 7, 9], "even": [2, 4, 6, 8]}
    assert other.lines == {"from nowhere": []}


def test_no_more_than_a_few_lines_are_remembered() -> None:
    log = RowLog(ignore)
    for line in range(1, 100):
        log.read("file", line)
        log.drop("file", "wrong")
    log.drop_lines("file", "wrong", 10, iter([200, 300]))

    assert log._files["file"].lines == {"wrong": list(range(1, MAX_LINES + 1))}


def test_a_row_of_several_lines_counts_where_it_begins(tmp_path: Path) -> None:
    content = b'a,1,5\n"b\nc\r\nd",1,5\ne,1,5\r"f"g,1,5\r\n\x00,1,5\nh,1,5'

    assert read_numbers(tmp_path / "ratings.csv", content) == [
        (2, "a"), (3, "b\nc\r\nd"), (6, "e"), (7, "quote in the wrong place"), (8, "NUL byte"), (9, "h"),
    ]  # fmt: skip


@pytest.mark.parametrize("before", [0, 1, MOST_LINES_OF_ROW + 7, LONGEST_LINE // 30])
def test_lines_are_counted_across_blocks(tmp_path: Path, before: int) -> None:
    rows = b"".join(b"%d,item,5\n" % number for number in range(before))
    content = rows + b'"two\nlines",1,5\n' + rows + b"x" * 2 * LONGEST_LINE + b"\n" + rows + b"last,1,5\n"

    found = read_numbers(tmp_path / "ratings.csv", content)

    told = [(line, text) for line, text in found if not text.isdigit()]
    assert told == [(before + 2, "two\nlines"), (2 * before + 4, "line too long"), (3 * before + 5, "last")]
    assert [line for line, text in found if text.isdigit()][:before] == list(range(2, before + 2))


def test_an_import_tells_where_what_it_drops_stands(sqlite: Database, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text('item,title,isbn\na,Ash,\na,Again,\nb,"Bay\ntree",12\nc\n')
    ratings = "user,item,rating\n1,a,5\n1,z,5\n2,a,5\n1,a,6\n1,a,none\n"
    (tmp_path / "ratings.csv").write_text(ratings)

    report = import_source(sqlite, Generic(tmp_path, Mapping()))

    assert {file.name: file.lines for file in report.files} == {
        "items.csv": {"duplicate id": [3], "too few fields": [6]},
        "ISBNs of items.csv": {"ISBN: wrong length": [4]},
        "ratings.csv": {
            "no book record": [3],
            "reader rated the book more than once": [2],
            "rating is not a number from 1 to 10": [6],
        },
    }


def test_the_lines_of_dumps_are_told_too(sqlite: Database, tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    folder.mkdir()
    write_cut(folder)
    for name, numbers, line in (
        (BOOKS, (3, 9), b'"1";"2"\r\n'),
        (RATINGS, (12,), b'"1";"080442957X";"good"\r\n'),
        (WORKS, (4, 5), b"/type/work\t/works/OL1W\t1\tnow\t{\n"),
    ):
        damage(folder / name, numbers, line)

    report = import_source(sqlite, BookCrossing(folder, folder))

    lines = {file.name: file.lines for file in report.files}
    assert lines[BOOKS]["too few fields"] == [3, 9]
    assert lines[RATINGS]["rating is not a whole number from 0 to 10"] == [12]
    assert lines[WORKS]["broken JSON"] == [4, 5]
