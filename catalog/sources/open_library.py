"""Reads Open Library's dumps of works, editions and authors, as far as another source's books need them.

The dumps have one record a line: type, key, revision, time and JSON, separated by tabs. They are read in
passes, so that memory grows with the wanted books and not with the dumps: editions (which works hold a wanted
ISBN), works (which have a wanted title), authors, then works and editions again for the records themselves.
"""

import re
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import Decoder

from catalog.cleaning import parse_pages, parse_year, repair_text, title_key, work_key
from catalog.errors import SourceFormatWrong
from catalog.isbn import find_isbn
from catalog.sources.csv_rows import NUL_BYTE, TOO_LONG
from catalog.sources.file_kinds import describe_head
from catalog.sources.files import find_file, read_gzip_lines
from catalog.sources.records import RawEdition, RawWork
from catalog.sources.row_log import RowLog

R = TypeVar("R")
_BEGINNING: Final = re.compile(rb"/type/(?:[^\t]*\t){4}")
_NUL: Final = rb"\u0000"
_EXPECTED = "ol_dump_works*.txt.gz, ol_dump_editions*.txt.gz and ol_dump_authors*.txt.gz"


class _Reference(Struct):
    """Names a record by its key; of an author it may stand in a role."""

    key: str | None = None
    author: "_Reference | str | None" = None

    def find_key(self) -> str:
        """The key without its path; nothing where there is none."""
        return _find_key(self.author) or _last_part(self.key)


class _Text(Struct):
    value: str | None = None


class _Work(Struct):
    type: _Reference | None = None
    title: str | None = None
    authors: list[_Reference | str | None] | None = None
    """Old records hold the author's key itself."""
    first_publish_date: str | None = None
    description: _Text | str | None = None
    subjects: list[str | None] | None = None

    @property
    def author_keys(self) -> tuple[str, ...]:
        return tuple(key for author in self.authors or () if (key := _find_key(author)))


class _Edition(Struct):
    works: list[_Reference | None] | None = None
    title: str | None = None
    isbn_13: list[str | None] | None = None
    isbn_10: list[str | None] | None = None
    languages: list[_Reference | None] | None = None
    publish_date: str | None = None
    number_of_pages: int | float | str | None = None

    @property
    def work(self) -> str:
        return _find_key(self.works[0]) if self.works else ""

    @property
    def isbns(self) -> tuple[str, ...]:
        return _texts((self.isbn_13 or []) + (self.isbn_10 or []))

    @property
    def language(self) -> str | None:
        return _find_key(self.languages[0])[:3] or None if self.languages else None


class _Author(Struct):
    name: str | None = None


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
        for key, work in self._records(self._works, _Work, log, stage="works, first pass"):
            title = repair_text(work.title or "")
            if key in languages or title_key(title) in titles:
                candidates[key] = (title, _Link(work.author_keys, languages.get(key)))
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
        for key, work in self._records(self._works, _Work, log, stage=file, count=True):
            if _find_key(work.type) != "work":
                log.drop(file, "not a work")
            elif key not in self._links:
                log.drop(file, "holds no book of the dump")
            else:
                yield self._to_raw(key, work)

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """All editions of the linked works."""
        file = self._editions.name
        for _, edition in self._records(self._editions, _Edition, log, stage=file, count=True):
            work = edition.work
            if work not in self._links:
                log.drop(file, "its work holds no book of the dump")
                continue
            yield RawEdition(
                file, edition.isbns, work, edition.title or "", self._authors_of(work),
                edition.publish_date or "", parse_pages(str(edition.number_of_pages or "")),
            )  # fmt: skip

    def _find_by_isbn(self, isbns: Set[str], log: RowLog) -> dict[str, str | None]:
        """Works that hold one of the ISBNs, each with the language of its first edition that tells one."""
        found: dict[str, str | None] = {}
        for _, edition in self._records(self._editions, _Edition, log, stage="editions, first pass"):
            work = edition.work
            if work and any(find_isbn(text) in isbns for text in edition.isbns):
                found[work] = found.get(work) or edition.language
        return found

    def _read_names(self, wanted: Set[str], log: RowLog) -> dict[str, str]:
        names: dict[str, str] = {}
        file = self._authors.name
        for key, author in self._records(self._authors, _Author, log, stage=file, count=True):
            if key not in wanted:
                log.drop(file, "wrote no book of the dump")
            elif not author.name:
                log.drop(file, "no name")
            else:
                log.keep(file)
                names[key] = author.name
        return names

    def _has_key(self, title: str, link: _Link, keys: Set[str]) -> bool:
        first_author = self._names.get(link.author_keys[0]) if link.author_keys else None
        return first_author is not None and work_key(title, repair_text(first_author)) in keys

    def _authors_of(self, work: str) -> tuple[str, ...]:
        return tuple(self._names[key] for key in self._links[work].author_keys if key in self._names)

    def _to_raw(self, key: str, work: _Work) -> RawWork:
        description = work.description.value if isinstance(work.description, _Text) else work.description
        return RawWork(
            file=self._works.name,
            external_id=key,
            title=work.title or "",
            authors=self._authors_of(key),
            year=parse_year(work.first_publish_date or ""),
            language=self._links[key].language,
            description=description,
            subjects=_texts(work.subjects or []),
        )

    def _records(
        self, path: Path, kind: type[R], log: RowLog, *, stage: str, count: bool = False
    ) -> Iterator[tuple[str, R]]:
        """Key (without its path) and record of every line; they count in one pass of several only."""
        decoder = Decoder(kind)
        for number, line in enumerate(read_gzip_lines(path, log.progress, stage=stage), 1):
            if number == 1 and not _BEGINNING.match(line):
                expected = "type, key, revision, time, JSON"
                raise SourceFormatWrong(path, expected=expected, found=describe_head(line), line=1)
            if count:
                log.read(path.name, number)
            record = _parse(line, decoder)
            if not isinstance(record, str):
                yield record
            elif count:
                log.drop(path.name, record)


def _parse(line: bytes, decoder: Decoder[R]) -> tuple[str, R] | str:
    """Key and record of a line, or why it has none."""
    fields = line.split(b"\t", 4)
    if len(fields) < 5:
        return "too few fields" if line else TOO_LONG
    if _NUL in fields[4]:
        return NUL_BYTE
    try:
        return _last_part(fields[1].decode()), decoder.decode(fields[4])
    except ValidationError:
        return "a field of another type"
    except (DecodeError, ValueError, RecursionError):
        return "broken JSON"


def _find_key(reference: _Reference | str | None) -> str:
    return reference.find_key() if isinstance(reference, _Reference) else _last_part(reference)


def _last_part(path: str | None) -> str:
    return path.rpartition("/")[2].strip() if path else ""


def _texts(texts: list[str | None]) -> tuple[str, ...]:
    """Different texts that say something, without spaces around them."""
    return tuple(dict.fromkeys(text.strip() for text in texts if text and not text.isspace()))
