"""Decides which book every work, edition and ISBN of an import is; pure, so that writing need not think.

A work is known by its source and external id, or joins an earlier work of its title and first author. An
edition that names no work is known by its ISBNs, then by its title and first author. What this import says
goes before what is stored, but not before what an operator has settled; and no id that was ever given out
means another book.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from enum import Enum, auto
from typing import NamedTuple

from catalog.edits import PlacedIsbn, Settled
from catalog.importing.ids import Ids
from catalog.tables import EditedField


class Found(Enum):
    """How a record's book was found."""

    NEW = auto()
    """Nowhere: it is a new book, to be written."""
    STORED = auto()
    """By its external id: what the record says of it replaces what is stored."""
    JOINED = auto()
    """Another record of this import has told of the book, or it has a record of its own elsewhere."""
    NEWLY_JOINED = auto()
    """Likewise, and the record's own id is new: its row must say which book it is part of."""


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


class Description(NamedTuple):
    """By what a book was described."""

    key: str | None
    """Equal for books of one title and first author; None where one of them is unknown."""
    is_edition: bool
    """Whether an edition has described it, and no work."""


class StoredBooks(NamedTuple):
    """What is stored of a source's books."""

    editions: Mapping[str, int]
    """Its own, by ISBN, and those of other sources' books that have no title."""
    foreign: Mapping[str, int]
    """All other sources', by ISBN."""
    untitled: Set[int]
    """Books that are evidence only, as nobody could title their ISBN, of all sources."""
    replaced: Mapping[int, int]
    """Books with heirs."""
    split: Mapping[int, int]
    """Books that an operator has split, with those that they were part of."""
    read_description: Callable[[int], Description]
    """Of a book, by its id."""
    settled: Settled = Settled()
    """What operators have settled."""


class BookIdentities:
    """Takes a source's works, then its editions; remembers which book each of them is."""

    def __init__(self, ids: Ids, stored: StoredBooks, *, foretold: Mapping[int, Description]) -> None:
        """`ids` are those of the source's books, by external id; `foretold` is what was once `misjudged`."""
        self._ids, self._stored, self._foretold = ids, stored, foretold
        self._book_of_work: dict[str, int] = {}
        self._book_of_key: dict[str, int] = {}
        self._book_of_isbn: dict[str, int] = {}
        self._described: dict[int, Description] = {}
        self._believed: dict[int, Description] = {}
        self._used: set[int] = set()
        self._moved: dict[int, int] = {}
        self._left: set[tuple[int, int]] = set()
        self._adopted: dict[int, int] = {}
        self._heirs_by_hand = set(stored.settled.heirs.values())

    def has_work(self, external_id: str) -> bool:
        """Whether this import has told of the work."""
        return external_id in self._book_of_work

    def own_id(self, external_id: str) -> int:
        """The id of a record's own row, whatever book it is part of."""
        return self._ids.get_or_create(external_id)[0]

    def match_work(self, external_id: str, key: str | None) -> Match:
        """The book of a work; `key` is equal for works of one title and first author."""
        own = self._ids.get(external_id)
        if (heir_id := self._find_heir(own)) is not None:
            self._book_of_work[external_id] = heir_id
            self._note_key(key, heir_id)
            return Match(heir_id, Found.JOINED)
        known = self._find_work(key, own) if key and own not in self._stored.split else None
        if known is None or known == own:
            match = self._match_id(external_id, Description(key, is_edition=False))
        elif own is None:
            self._ids.get_or_create(external_id)
            match = Match(known, Found.NEWLY_JOINED)
        else:
            if self._stored.replaced.get(own) != known:
                self._moved[own] = known
            match = Match(known, Found.JOINED)
        self._note_key(key, match.book_id)
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

    def match_untitled(self, isbn: str) -> Match:
        """The book of an ISBN that only a rating names: a new one, if none was of that external id."""
        own, is_new = self._ids.get_or_create(isbn)
        if is_new:
            return Match(own, Found.NEW)
        return Match(self._current(own) or own, Found.JOINED)

    def find_edition_id(self, external_id: str, isbns: Sequence[str]) -> str:
        """The external id of an edition: its own, or the ISBN by which a rating has named it first."""
        if self._ids.get(external_id) is not None:
            return external_id
        return next((isbn for isbn in isbns if self._ids.get(isbn) is not None), external_id)

    def match_edition(
        self, work: str | None, isbns: Sequence[str], key: str | None, *, external_id: str | None
    ) -> Match | None:
        """The book of an edition; if none is known a new one of this external id, or None without one."""
        own = None if external_id is None else self._ids.get(external_id)
        if (settled := self._find_settled(work, isbns, own)) is not None:
            self._note_key(key, settled)
            return Match(settled, Found.JOINED)
        known = self._find_split(isbns)
        if known is None:
            known = self._book_of_work[work] if work is not None else self._find_book(isbns, key, own)
        if external_id is not None and (known is None or (known == own and work is None)):
            match = self._match_id(external_id, Description(key, is_edition=True))
        elif known is not None:
            match = Match(known, Found.JOINED)
        else:
            return None
        self._note_key(key, match.book_id)
        self._used.add(match.book_id)
        return match

    def place_isbn(self, isbn: str, book_id: int) -> EditionChange:
        """Give an ISBN to a book; of several books the last one has it, but a split book keeps its own."""
        if (placed := self._stored.settled.isbns.get(isbn)) is not None and placed.book_id is not None:
            self._leave_placed(isbn, placed, book_id)
            return EditionChange.NOTHING
        stored = self._stored.editions.get(isbn)
        if stored is not None and stored in self._stored.split and stored != book_id:
            self._book_of_isbn[isbn] = stored
            return EditionChange.NOTHING
        is_new, is_placed = isbn not in self._book_of_isbn, self._book_of_isbn.get(isbn) == book_id
        self._book_of_isbn[isbn] = book_id
        if isbn in self._stored.foreign:
            return EditionChange.LEAVE_TO_OTHER_SOURCE
        if stored is None:
            return EditionChange.INSERT if is_new else EditionChange.NOTHING
        if stored != book_id:
            self._moved[stored] = book_id
            self._left.add((book_id, stored))
        # As when it is new: of several records the first tells of it.
        return EditionChange.NOTHING if is_placed else EditionChange.UPDATE

    def is_removed(self, isbn: str) -> bool:
        """Whether an operator wants the ISBN to be nobody's."""
        placed = self._stored.settled.isbns.get(isbn)
        return placed is not None and placed.book_id is None

    def replacements(self) -> dict[int, int]:
        """Books that are another one by now and that this import describes no more, with their heirs."""
        return {old: new for old, new in self._moved.items() if old not in self._used}

    def adopted(self) -> dict[int, int]:
        """Books of this import that have an ISBN of one that an operator added, with that one."""
        return {old: new for old, new in self._adopted.items() if old in self._used}

    def returned(self) -> list[int]:
        """Books that had an heir and are themselves again, or are to have another one."""
        replaced = self._stored.replaced
        return sorted(replaced.keys() & (self._used | self.replacements().keys()))

    def placed_isbns(self) -> Set[str]:
        """The ISBNs whose book this import has told."""
        return self._book_of_isbn.keys()

    def lost_editions(self, book_ids: Set[int]) -> list[tuple[str, int]]:
        """Each ISBN that this import has taken from one of these books, with the book."""
        stored = ((isbn, self._stored.editions.get(isbn)) for isbn in self._book_of_isbn)
        return [(isbn, book_id) for isbn, book_id in stored if book_id is not None and book_id in book_ids]

    def separated(self) -> set[tuple[int, int]]:
        """(book, other): books of this import that were a part of another one, which goes on without them."""
        replaced, split = self._stored.replaced, self._stored.split
        once_merged = {(book_id, replaced[book_id]) for book_id in self._used & replaced.keys()}
        once_split = {(book_id, split[book_id]) for book_id in self._used & split.keys()}
        lost_editions = {pair for pair in self._left if pair[1] in self._used}
        return once_merged | once_split | lost_editions

    def misjudged(self) -> dict[int, Description]:
        """Books that this import tells otherwise than was believed of them before their turn came.

        What joined them for what they were called must be looked at again.
        """
        told = {book_id: self._described.get(book_id, was) for book_id, was in self._believed.items()}
        return {book_id: told[book_id] for book_id, was in self._believed.items() if told[book_id] != was}

    def book_of_work(self, external_id: str) -> int | None:
        """The book of a work that the source has now or had once."""
        book_id = self._book_of_work.get(external_id)
        return self._current(self._ids.get(external_id)) if book_id is None else self._settle(book_id)

    def book_of_isbn(self, isbn: str) -> int | None:
        """The book of an ISBN that the source has now or had once, or another source has."""
        book_id = self._book_of_isbn.get(isbn)
        if book_id is not None:
            return self._settle(book_id)
        placed = self._stored.settled.isbns.get(isbn)
        if placed:
            return self._current(placed.book_id)
        return self._current(self._stored.editions.get(isbn, self._stored.foreign.get(isbn)))

    def _match_id(self, external_id: str, description: Description) -> Match:
        book_id, is_new = self._ids.get_or_create(external_id)
        is_described = book_id in self._described
        self._described.setdefault(book_id, description)
        if is_new:
            return Match(book_id, Found.NEW)
        return Match(book_id, Found.JOINED if is_described else Found.STORED)

    def _note_key(self, key: str | None, book_id: int) -> None:
        if key and book_id not in self._stored.split:
            self._book_of_key.setdefault(key, book_id)

    def _find_work(self, key: str, own: int | None) -> int | None:
        """The book of a title and author: this import's, or the stored one that the work is part of."""
        known, heir = self._book_of_key.get(key), self._stored.replaced.get(own) if own else None
        if known is not None or heir is None:
            return known
        return heir if self._is_named_by_hand(heir) or self._describe(heir).key == key else None

    def _is_named_by_hand(self, book_id: int) -> bool:
        """Whether the stored title and author do not tell what the source calls the book."""
        settled = self._stored.settled
        return book_id in self._heirs_by_hand or settled.has(book_id, EditedField.TITLE, EditedField.AUTHORS)

    def _describe(self, book_id: int) -> Description:
        if book_id in self._described:
            return self._described[book_id]
        believed = self._foretold.get(book_id) or self._stored.read_description(book_id)
        return self._believed.setdefault(book_id, believed)

    def _find_settled(self, work: str | None, isbns: Sequence[str], own: int | None) -> int | None:
        """The book that an operator has made an edition's; a work that it names counts for ISBNs alone."""
        if (heir_id := self._find_heir(own)) is not None:
            return heir_id
        placed = [self._stored.settled.isbns.get(isbn) for isbn in isbns]
        return placed[0].book_id if work is None and all(placed) and placed[0] else None

    def _find_heir(self, book_id: int | None) -> int | None:
        """The book that an operator has made this one a part of."""
        return None if book_id is None else self._stored.settled.heirs.get(book_id)

    def _leave_placed(self, isbn: str, placed: PlacedIsbn, book_id: int) -> None:
        """Leave an ISBN where an operator has put it, whatever book this import would have it be of."""
        assert placed.book_id is not None
        self._book_of_isbn[isbn] = placed.book_id
        if placed.moved_from is not None:
            self._left.add((placed.book_id, placed.moved_from))
        if placed.is_own and book_id in self._described and book_id not in self._stored.split:
            self._adopted.setdefault(book_id, placed.book_id)

    def _find_split(self, isbns: Sequence[str]) -> int | None:
        """The split book that has all of these ISBNs."""
        if not self._stored.split:  # as nearly always, and this is asked of every edition
            return None
        books = {self._stored.editions.get(isbn) for isbn in isbns}
        return next(iter(books)) if len(books) == 1 and books <= self._stored.split.keys() else None

    def _find_book(self, isbns: Sequence[str], key: str | None, own: int | None) -> int | None:
        for isbn in isbns:
            if isbn in self._book_of_isbn:
                return self._book_of_isbn[isbn]
        if key in self._book_of_key:
            return self._book_of_key[key]
        stored = next(filter(None, map(self._stored.editions.get, isbns)), None)
        if stored in self._stored.untitled and stored != own:
            return None  # another source's: this one's title makes a book that takes its place
        if stored is None or stored == own or not key or self._is_named_by_hand(stored):
            return stored
        # Its title and author alone have made it an edition of that book, and they say so no more.
        description = self._describe(stored)
        return None if description.is_edition and description.key not in (None, key) else stored

    def _current(self, book_id: int | None) -> int | None:
        """The book itself, or its heir of an earlier import or of this one."""
        if book_id is None:
            return None
        return self._settle(book_id if book_id in self._used else self._stored.replaced.get(book_id, book_id))

    def _settle(self, book_id: int) -> int:
        """What becomes of a book by the end of this import."""
        if book_id not in self._used:
            book_id = self._moved.get(book_id, book_id)
        return self._adopted.get(book_id, book_id)
