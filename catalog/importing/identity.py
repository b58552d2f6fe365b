"""Decides which book every work, edition and ISBN of an import is; pure, so that writing need not think.

A work is known by its source and external id, or joins an earlier work of its title and first author. An
edition that names no work is known by its ISBNs, then by its title and first author. What this import says
goes before what is stored, and no id that was ever given out means another book.
"""

from collections.abc import Mapping, Sequence, Set
from enum import Enum, auto
from typing import NamedTuple

from catalog.importing.ids import Ids


class Found(Enum):
    """How a record's book was found."""

    NEW = auto()
    """Nowhere: it is a new book, to be written."""
    STORED = auto()
    """By its external id: what the record says of it replaces what is stored."""
    JOINED = auto()
    """Another record of this import has told of the book, or it has a record of its own elsewhere."""


class Match(NamedTuple):
    """The book of a work or an edition."""

    book_id: int
    found: Found


class EditionChange(Enum):
    """What to do with the row of an ISBN."""

    INSERT = auto()
    UPDATE = auto()
    NOTHING = auto()
    LEAVE_TO_OTHER_SOURCE = auto()


class BookIdentities:
    """Takes a source's works, then its editions; remembers which book each of them is."""

    def __init__(
        self, ids: Ids, *, editions: Mapping[str, int], foreign_isbns: Set[str], replaced: Mapping[int, int]
    ) -> None:
        """`ids` are by external id, `editions` by ISBN: the source's own; `replaced` are books with heirs."""
        self._ids, self._stored_editions, self._foreign_isbns = ids, editions, foreign_isbns
        self._replaced = replaced
        self._book_of_work: dict[str, int] = {}
        self._book_of_key: dict[str, int] = {}
        self._book_of_isbn: dict[str, int] = {}
        self._used: set[int] = set()
        self._moved: dict[int, int] = {}

    def has_work(self, external_id: str) -> bool:
        """Whether this import has told of the work."""
        return external_id in self._book_of_work

    def match_work(self, external_id: str, key: str | None) -> Match:
        """The book of a work; `key` is equal for works of one title and first author."""
        known = self._book_of_key.get(key) if key else None
        match = self._match_id(external_id) if known is None else Match(known, Found.JOINED)
        if key:
            self._book_of_key[key] = match.book_id
        self._book_of_work[external_id] = match.book_id
        self._used.add(match.book_id)
        return match

    def join_stored(self, external_id: str) -> bool:
        """Take a work's stored book, or its heir, as it is; False if none is stored."""
        book_id = self._current(self._ids.get(external_id))
        if book_id is None:
            return False
        self._book_of_work[external_id] = book_id
        self._used.add(book_id)
        return True

    def match_edition(
        self, work: str | None, isbns: Sequence[str], key: str | None, *, external_id: str | None
    ) -> Match | None:
        """The book of an edition; if none is known a new one of this external id, or None without one."""
        known = self._find_book(isbns, key) if work is None else self._book_of_work[work]
        if known is not None:
            match = Match(known, Found.JOINED)
        elif external_id is not None:
            match = self._match_id(external_id)
        else:
            return None
        if key:
            self._book_of_key.setdefault(key, match.book_id)
        self._used.add(match.book_id)
        return match

    def place_isbn(self, isbn: str, book_id: int) -> EditionChange:
        """Give an ISBN to a book; of several books the last one has it."""
        is_new = isbn not in self._book_of_isbn
        self._book_of_isbn[isbn] = book_id
        if isbn in self._foreign_isbns:
            return EditionChange.LEAVE_TO_OTHER_SOURCE
        stored = self._stored_editions.get(isbn)
        if stored is None:
            return EditionChange.INSERT if is_new else EditionChange.NOTHING
        if stored != book_id:
            self._moved[stored] = book_id
        return EditionChange.UPDATE

    def replacements(self) -> dict[int, int]:
        """Books that lost an edition and that this import knows nothing of otherwise, with their heirs."""
        return {old: new for old, new in self._moved.items() if old not in self._used}

    def book_of_work(self, external_id: str) -> int | None:
        """The book of a work that the source has now or had once."""
        book_id = self._book_of_work.get(external_id)
        return self._current(self._ids.get(external_id)) if book_id is None else book_id

    def book_of_isbn(self, isbn: str) -> int | None:
        """The book of an ISBN that the source has now or had once."""
        book_id = self._book_of_isbn.get(isbn)
        return self._current(self._stored_editions.get(isbn)) if book_id is None else book_id

    def _match_id(self, external_id: str) -> Match:
        book_id, is_new = self._ids.get_or_create(external_id)
        if is_new:
            return Match(book_id, Found.NEW)
        return Match(book_id, Found.JOINED if book_id in self._used else Found.STORED)

    def _find_book(self, isbns: Sequence[str], key: str | None) -> int | None:
        for isbn in isbns:
            if isbn in self._book_of_isbn:
                return self._book_of_isbn[isbn]
        if key in self._book_of_key:
            return self._book_of_key[key]
        return next((self._stored_editions[isbn] for isbn in isbns if isbn in self._stored_editions), None)

    def _current(self, book_id: int | None) -> int | None:
        """The book itself, or its heir of an earlier import or of this one."""
        if book_id is None or book_id in self._used:
            return book_id
        heir = self._replaced.get(book_id, book_id)
        return heir if heir in self._used else self._moved.get(heir, heir)
