"""Reads Open Library's dumps of works, editions and authors, as far as another source's books need them.

The dumps have one record a line: type, key, revision, time and JSON, separated by tabs. They are read in
passes, so that memory grows with the wanted books and not with the dumps: editions (which works hold a wanted
ISBN), works (which have a wanted title), authors, then works and editions again for the records themselves.
"""

from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from catalog.cleaning import parse_year, repair_text, title_key, work_key
from catalog.errors import SourceFormatWrong
from catalog.isbn import find_isbn
from catalog.sources.files import find_file, read_gzip_lines
from catalog.sources.records import RawEdition, RawWork
from catalog.sources.row_log import RowLog

_EXPECTED = "ol_dump_works*.txt.gz, ol_dump_editions*.txt.gz and ol_dump_authors*.txt.gz"


class _Link(NamedTuple):
    """A wanted work."""

    author_keys: tuple[str, ...]
    language: str | None


class OpenLibrary:
    """The dumps in a folder. Call `link` first."""

    def __init__(self, folder: Path) -> None:
        """Raises SourceFileMissing."""
        self._works, self._editions, self._authors = (
            find_file(folder, f"ol_dump_{kind}*.txt.gz", expected=_EXPECTED)
            for kind in ("works", "editions", "authors")
        )
        self._links: dict[str, _Link] = {}
        self._names: dict[str, str] = {}

    def link(self, isbns: Set[str], keys: Set[str], log: RowLog) -> None:
        """Find the works that hold one of these ISBNs, or have one of these title-and-author keys."""
        languages = self._find_by_isbn(isbns, log)
        titles = {key.partition("|")[0] for key in keys}
        candidates: dict[str, tuple[str, _Link]] = {}
        for key, record in self._records(self._works, log, stage="works, first pass"):
            title = repair_text(str(record.get("title", "")))
            if key in languages or title_key(title) in titles:
                candidates[key] = (title, _Link(_author_keys(record), languages.get(key)))
        author_keys = {author for _, link in candidates.values() for author in link.author_keys}
        self._names = self._read_names(author_keys, log)
        self._links = {
            key: link
            for key, (title, link) in candidates.items()
            if key in languages or self._has_key(title, link, keys)
        }

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """The linked works."""
        file = self._works.name
        for key, record in self._records(self._works, log, stage=file, count=True):
            if record.get("type", {}).get("key") != "/type/work":
                log.drop(file, "not a work")
            elif key not in self._links:
                log.drop(file, "holds no book of the dump")
            else:
                yield self._to_work(key, record)

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """All editions of the linked works."""
        file = self._editions.name
        for _, record in self._records(self._editions, log, stage=file, count=True):
            work = _work_key_of(record)
            if work not in self._links:
                log.drop(file, "its work holds no book of the dump")
                continue
            yield RawEdition(
                file, _isbns(record), work, str(record.get("title", "")), self._authors_of(work),
                str(record.get("publish_date", "")),
            )  # fmt: skip

    def _find_by_isbn(self, isbns: Set[str], log: RowLog) -> dict[str, str | None]:
        """Works that hold one of the ISBNs, each with the language of its first edition that tells one."""
        found: dict[str, str | None] = {}
        for _, record in self._records(self._editions, log, stage="editions, first pass"):
            work = _work_key_of(record)
            if work and any(find_isbn(text) in isbns for text in _isbns(record)):
                found[work] = found.get(work) or _language(record)
        return found

    def _read_names(self, wanted: Set[str], log: RowLog) -> dict[str, str]:
        names: dict[str, str] = {}
        file = self._authors.name
        for key, record in self._records(self._authors, log, stage=file, count=True):
            if key not in wanted:
                log.drop(file, "wrote no book of the dump")
            elif not record.get("name"):
                log.drop(file, "no name")
            else:
                log.keep(file)
                names[key] = str(record["name"])
        return names

    def _has_key(self, title: str, link: _Link, keys: Set[str]) -> bool:
        first_author = self._names.get(link.author_keys[0]) if link.author_keys else None
        return first_author is not None and work_key(title, repair_text(first_author)) in keys

    def _authors_of(self, work: str) -> tuple[str, ...]:
        return tuple(self._names[key] for key in self._links[work].author_keys if key in self._names)

    def _to_work(self, key: str, record: dict[str, Any]) -> RawWork:
        description = record.get("description")
        if isinstance(description, dict):
            description = description.get("value")
        return RawWork(
            file=self._works.name,
            external_id=key,
            title=str(record.get("title", "")),
            authors=self._authors_of(key),
            year=parse_year(str(record.get("first_publish_date", ""))),
            language=self._links[key].language,
            description=description,
            subjects=tuple(str(subject) for subject in record.get("subjects", ())),
        )

    def _records(
        self, path: Path, log: RowLog, *, stage: str, count: bool = False
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key (without its path) and JSON of every record; rows count in one pass of several only."""
        for number, line in enumerate(read_gzip_lines(path, log.progress, stage=stage)):
            fields = line.split(b"\t", 4)
            if number == 0 and (len(fields) < 5 or not line.startswith(b"/type/")):
                raise SourceFormatWrong(
                    path, expected="type, key, revision, time, JSON", found=repr(line[:60])
                )
            if count:
                log.read(path.name)
            if len(fields) < 5:
                if count:
                    log.drop(path.name, "too few fields")
                continue
            try:
                yield fields[1].decode().rpartition("/")[2], orjson.loads(fields[4])
            except ValueError:
                if count:
                    log.drop(path.name, "broken JSON")


def _author_keys(record: dict[str, Any]) -> tuple[str, ...]:
    # Old records hold the author's key itself, new ones the author in a role.
    roles = (
        role.get("author", role) if isinstance(role, dict) else role for role in record.get("authors", ())
    )
    keys = (role.get("key", "") if isinstance(role, dict) else str(role) for role in roles)
    return tuple(key.rpartition("/")[2] for key in keys if key)


def _work_key_of(record: dict[str, Any]) -> str:
    works = record.get("works") or [{}]
    return str(works[0].get("key", "")).rpartition("/")[2]


def _isbns(record: dict[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*record.get("isbn_13", ()), *record.get("isbn_10", ())]))


def _language(record: dict[str, Any]) -> str | None:
    languages = record.get("languages") or [{}]
    return str(languages[0].get("key", "")).rpartition("/")[2][:3] or None
