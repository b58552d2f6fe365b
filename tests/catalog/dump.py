"""Writes any source as dump files in the original formats of Book-Crossing and Open Library."""

import gzip
import json
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from catalog.isbn import to_isbn10
from catalog.sources.book_crossing import BOOK_COLUMNS, BOOKS, RATING_COLUMNS, RATINGS, USER_COLUMNS, USERS
from catalog.sources.records import RawEdition, RawWork, Source
from catalog.sources.row_log import RowLog

_IMAGE_COLUMNS = ("Image-URL-S", "Image-URL-M", "Image-URL-L")
_NO_TIME = "2024-01-31T00:00:00.000000"


def write_book_crossing(source: Source, folder: Path) -> None:
    """BX-Books.csv, BX-Users.csv and BX-Book-Ratings.csv, as the public dump has them."""
    folder.mkdir(parents=True, exist_ok=True)
    log = RowLog(_ignore)
    books = (
        (
            _dump_isbn(edition.isbns[0]),
            edition.title,
            next(iter(edition.authors), ""),
            edition.year or None,
            "",
        )
        + ("",) * len(_IMAGE_COLUMNS)
        for edition in source.editions(log)
    )
    _write_csv(folder / BOOKS, (*BOOK_COLUMNS, *_IMAGE_COLUMNS), books)
    users = ((user.external_id, user.location, user.age or None) for user in source.users(log))
    _write_csv(folder / USERS, USER_COLUMNS, users)
    ratings = ((rating.user, _dump_isbn(rating.isbn), rating.rating) for rating in source.ratings(log))
    _write_csv(folder / RATINGS, RATING_COLUMNS, ratings)


def write_open_library(source: Source, folder: Path) -> None:
    """ol_dump_works, _editions and _authors.txt.gz of the works that the source knows."""
    folder.mkdir(parents=True, exist_ok=True)
    log = RowLog(_ignore)
    works = {
        work.external_id: (f"OL{number}W", work) for number, work in enumerate(source.works(log), start=1)
    }
    names = dict.fromkeys(name for _, work in works.values() for name in work.authors)
    author_keys = {name: f"/authors/OL{number}A" for number, name in enumerate(names, start=1)}
    editions = [edition for edition in source.editions(log) if edition.work in works]
    _write_dump(
        folder / "ol_dump_authors.txt.gz",
        "author",
        ({"key": key, "name": name} for name, key in author_keys.items()),
    )
    _write_dump(
        folder / "ol_dump_works.txt.gz",
        "work",
        (_work(key, work, author_keys) for key, work in works.values()),
    )
    _write_dump(
        folder / "ol_dump_editions.txt.gz",
        "edition",
        (
            _edition(number, edition, works[str(edition.work)])
            for number, edition in enumerate(editions, start=1)
        ),
    )


def _work(key: str, work: RawWork, author_keys: dict[str, str]) -> dict[str, Any]:
    return {
        "key": f"/works/{key}",
        "title": work.title,
        "subjects": list(work.subjects),
        "description": {"type": "/type/text", "value": work.description},
        "first_publish_date": str(work.year),
        "authors": [
            {"type": {"key": "/type/author_role"}, "author": {"key": author_keys[name]}}
            for name in work.authors
        ],
        "type": {"key": "/type/work"},
    }


def _edition(number: int, edition: RawEdition, work: tuple[str, RawWork]) -> dict[str, Any]:
    return {
        "key": f"/books/OL{number}M",
        "title": edition.title,
        "isbn_13": list(edition.isbns),
        "works": [{"key": f"/works/{work[0]}"}],
        "languages": [{"key": f"/languages/{work[1].language}"}],
        "publish_date": edition.year,
        "type": {"key": "/type/edition"},
    }


def _write_dump(path: Path, kind: str, records: Iterable[dict[str, Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="\n") as file:
        for record in records:
            line = (f"/type/{kind}", record["key"], "1", _NO_TIME, json.dumps(record, ensure_ascii=False))
            file.write("\t".join(line) + "\n")


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]) -> None:
    with path.open("w", encoding="latin-1", newline="") as file:
        file.writelines(";".join(map(_field, row)) + "\r\n" for row in _with_header(header, rows))


def _with_header(
    header: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]
) -> Iterator[tuple[str | None, ...]]:
    yield header
    yield from rows


def _field(value: str | None) -> str:
    if value is None:
        return "NULL"
    escaped = _to_latin1(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _to_latin1(text: str) -> str:
    """The text with letters that Latin-1 lacks as the plain ones below their accents."""
    return (
        "".join(c if ord(c) < 256 else unicodedata.normalize("NFKD", c)[0] for c in text)
        .encode("latin-1", "replace")
        .decode("latin-1")
    )


def _dump_isbn(isbn: str) -> str:
    """ISBN-10, as the dump has it, where there is one."""
    return to_isbn10(isbn) or isbn if len(isbn) == 13 and isbn.isdigit() else isbn


def _ignore(stage: str, done: int, total: int | None) -> None:
    """Nobody watches."""
