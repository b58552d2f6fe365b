"""Lays an operator's file over a source: which ISBNs are one work, and what a work is called."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from catalog.errors import OverridesInvalid
from catalog.isbn import find_isbn
from catalog.sources.csv_rows import CsvFormat, read_csv
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork, Source
from catalog.sources.row_log import RowLog

COLUMNS: Final = ("isbn", "work", "title", "authors")
_PREFIX: Final = "override:"
"""Of the external ids of works that no source has."""


@dataclass
class _Work:
    line: int
    """Where it is named first."""
    title: str = ""
    authors: tuple[str, ...] = ()
    external_id: str = ""


@dataclass
class _Rows:
    lines: list[int] = field(default_factory=list)
    works: dict[str, _Work] = field(default_factory=dict)
    work_of_isbn: dict[str, str] = field(default_factory=dict)
    line_of_isbn: dict[str, int] = field(default_factory=dict)
    """Where it stands first."""


class Overridden:
    """A source, with its ISBNs where the file has them and its works called as the file calls them.

    A work that the file gives a title stands alone: no other one of that title and author is joined to it.
    """

    def __init__(self, source: Source, path: Path) -> None:
        """Raises SourceError, with the line where one is wrong."""
        self.name, self.scale = source.name, source.scale
        self._source, self._path = source, path
        self._alone = f"only in {path.name}"
        self._rows = _read(path)
        self._unseen = dict.fromkeys(self._rows.work_of_isbn)

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """The source's works, then those that the file alone has; its rows are read by now, and all count."""
        for line in self._rows.lines:
            log.read(self._path.name, line)
            log.keep(self._path.name)
        for work in self._source.works(log):
            named = self._rows.works.get(work.external_id)
            if named is not None:
                named.external_id = work.external_id
            if named is not None and named.title:
                work = work._replace(
                    title=named.title, authors=named.authors or work.authors, stands_alone=True
                )
            yield work
        for name, named in self._rows.works.items():
            if not named.external_id:
                yield self._make_work(name, named, log)

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """The source's, those of the file by the file's works, then what only the file has."""
        for edition in self._source.editions(log):
            yield from self._place(edition, log)
        for isbn in list(self._unseen):
            log.read(self._alone, self._rows.line_of_isbn[isbn])
            yield RawEdition(self._alone, (isbn,), self._find_work(isbn), "", (), "")

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """The source's readers."""
        return self._source.users(log)

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """The source's ratings."""
        return self._source.ratings(log)

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """The source's events."""
        return self._source.events(log)

    def _place(self, edition: RawEdition, log: RowLog) -> Iterator[RawEdition]:
        """The edition, or one of each work that its ISBNs belong to: each is a row of the report."""
        parts: dict[str | None, list[str]] = defaultdict(list)
        for isbn in edition.isbns:
            parts[self._find_work(isbn)].append(isbn)
        for number, (work, isbns) in enumerate(parts.items() or [(None, [])]):
            if number:
                log.read(edition.file, log.line)
            part = edition._replace(isbns=tuple(isbns))
            yield part if work is None else part._replace(work=work, title="", authors=())

    def _make_work(self, name: str, named: _Work, log: RowLog) -> RawWork:
        if not named.title:
            raise OverridesInvalid(
                self._path, f"{self.name} has no work {name!r}; give it a title, or its id", line=named.line
            )
        named.external_id = f"{_PREFIX}{name}"
        log.read(self._alone, named.line)
        return RawWork(
            self._alone, named.external_id, named.title, named.authors, None, None, None, (),
            stands_alone=True,
        )  # fmt: skip

    def _find_work(self, text: str) -> str | None:
        """External id of the work that the file gives an ISBN to."""
        isbn = find_isbn(text, repair_zeros=True)
        if isbn is None or (name := self._rows.work_of_isbn.get(isbn)) is None:
            return None
        self._unseen.pop(isbn, None)
        return self._rows.works[name].external_id


def _read(path: Path) -> _Rows:
    rows = _Rows()
    lines = read_csv(path, CsvFormat(), _ignore)
    line, header = next(lines)
    if [str(name).strip().lower() for name in header] != list(COLUMNS):
        raise OverridesInvalid(path, f"expected the header {','.join(COLUMNS)}", line=line)
    for line, row in lines:
        if isinstance(row, str) or len(row) != len(COLUMNS):
            reason = row if isinstance(row, str) else f"expected {len(COLUMNS)} fields, found {len(row)}"
            raise OverridesInvalid(path, reason, line=line)
        _add(rows, path, line, *map(str.strip, row))
        rows.lines.append(line)
    return rows


def _add(rows: _Rows, path: Path, line: int, isbn: str, name: str, title: str, authors: str) -> None:
    if not name or len(name) > 50:
        raise OverridesInvalid(path, "a work needs a name of 1 to 50 letters, or its id", line=line)
    work = rows.works.setdefault(name, _Work(line))
    if title and work.title not in ("", title):
        raise OverridesInvalid(path, f"work {name!r} is called {work.title!r} above", line=line)
    work.title = work.title or title
    work.authors = work.authors or tuple(part.strip() for part in authors.split(";") if part.strip())
    if not isbn:
        return
    if (isbn13 := find_isbn(isbn)) is None:
        raise OverridesInvalid(path, f"{isbn!r} is no ISBN", line=line)
    rows.line_of_isbn.setdefault(isbn13, line)
    if rows.work_of_isbn.setdefault(isbn13, name) != name:
        raise OverridesInvalid(path, f"ISBN {isbn} is of {rows.work_of_isbn[isbn13]!r} above", line=line)


def _ignore(stage: str, done: int, total: int | None) -> None:
    """The file is small: its reading is no stage of an import."""
