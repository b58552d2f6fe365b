import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from catalog.cleaning import work_key
from catalog.isbn import to_isbn10
from catalog.sources.open_library import OpenLibrary
from catalog.sources.row_log import RowLog
from tests.catalog.shelf import isbn


def write(path: Path, kind: str, records: Iterable[dict[str, Any]], *more: str) -> None:
    lines = [f"/type/{kind}\t{record['key']}\t1\t2024\t{json.dumps(record)}\n" for record in records]
    path.write_bytes(gzip.compress("".join([*lines, *more]).encode()))


def a_work(number: int, title: str, author: int, **more: object) -> dict[str, Any]:
    role = {"author": {"key": f"/authors/OL{author}A"}}
    return {
        "key": f"/works/OL{number}W",
        "title": title,
        "authors": [role],
        "type": {"key": "/type/work"},
        **more,
    }


def an_edition(number: int, of: int, **more: object) -> dict[str, Any]:
    return {"key": f"/books/OL{number}M", "title": "Edition", "works": [{"key": f"/works/OL{of}W"}], **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    authors = [
        {"key": "/authors/OL1A", "name": "Ann Ash"},
        {"key": "/authors/OL2A", "name": "Bob Birch"},
        {"key": "/authors/OL3A"},
    ]
    works = [
        a_work(
            1,
            "Held by ISBN",
            1,
            subjects=["Dragons"],
            description="Plain text.",
            first_publish_date="May 3, 1950",
        ),
        a_work(2, "The Same Title", 2, description={"type": "/type/text", "value": "In a box."}),
        a_work(3, "The Same Title", 1),
        a_work(4, "Nobody asked", 2),
        a_work(5, "Nameless", 3, authors=[{"key": "/authors/OL3A"}]),
        {"key": "/works/OL6W", "type": {"key": "/type/redirect"}, "location": "/works/OL1W"},
    ]
    editions = [
        an_edition(
            1, 1, isbn_10=[to_isbn10(isbn(1))], languages=[{"key": "/languages/ger"}], publish_date="1987"
        ),
        an_edition(2, 1, isbn_13=[isbn(7)]),
        an_edition(3, 4, isbn_13=[isbn(8)]),
        {"key": "/books/OL4M", "title": "An orphan"},
        an_edition(5, 5, isbn_13=[isbn(9)]),
    ]
    write(tmp_path / "ol_dump_authors_2024-01-31.txt.gz", "author", authors)
    write(
        tmp_path / "ol_dump_works_2024-01-31.txt.gz",
        "work",
        works,
        "/type/work\t/works/OL7W\n",
        "/type/work\tk\t1\t1\t{bad\n",
    )
    write(tmp_path / "ol_dump_editions_2024-01-31.txt.gz", "edition", editions)
    return tmp_path


@pytest.fixture
def linked(folder: Path) -> tuple[OpenLibrary, RowLog]:
    library, log = OpenLibrary(folder), RowLog(lambda *_: None)
    wanted = {isbn(1), isbn(9)}
    library.link(wanted, {work_key("Same Title", "B. Birch")}, log)
    return library, log


def test_works_are_linked_by_isbn_and_by_title_with_author(linked: tuple[OpenLibrary, RowLog]) -> None:
    library, log = linked

    works = {work.external_id: work for work in library.works(log)}

    assert list(works) == ["OL1W", "OL2W", "OL5W"]
    assert works["OL1W"].authors == ("Ann Ash",)
    assert (works["OL1W"].year, works["OL1W"].language) == (1950, "ger")
    assert (works["OL1W"].description, works["OL2W"].description) == ("Plain text.", "In a box.")
    assert works["OL5W"].authors == ()


def test_all_editions_of_a_linked_work_are_read(linked: tuple[OpenLibrary, RowLog]) -> None:
    library, log = linked

    editions = list(library.editions(log))

    assert [edition.work for edition in editions] == ["OL1W", "OL1W", "OL5W"]
    assert editions[0].isbns == (to_isbn10(isbn(1)),)
    assert (editions[0].authors, editions[0].year) == (("Ann Ash",), "1987")


def test_rows_are_counted_once_though_files_are_read_twice(linked: tuple[OpenLibrary, RowLog]) -> None:
    library, log = linked
    for record in (*library.works(log), *library.editions(log)):
        log.keep(record.file)

    reports = {report.name.split("_")[2]: report for report in log.file_reports()}

    assert reports["authors"].dropped == {"no name": 1}
    assert reports["works"].dropped == {
        "holds no book of the dump": 2,
        "not a work": 1,
        "too few fields": 1,
        "broken JSON": 1,
    }
    assert reports["editions"].dropped == {"its work holds no book of the dump": 2}
    assert [reports[kind].n_read for kind in ("authors", "works", "editions")] == [3, 8, 5]
