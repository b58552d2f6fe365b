"""Tells which book of the catalog each row of a library is, and how surely."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from catalog.cleaning import author_key, title_heading
from catalog.library.candidates import (
    Candidate,
    count_readers_of,
    find_by_authors,
    find_by_headings,
    find_by_isbns,
    read_candidates,
)
from catalog.library.names import compare_authors, read_name
from catalog.library.records import ExportRow
from catalog.library.titles import PART, SAME, compare_titles, read_title

SURE: Final = 0.8
"""How sure a match must be that nobody looks at."""
MAYBE: Final = 0.4
"""How sure a book must be to be shown to the reader as what a row may be."""
MOST_GUESSES: Final = 5
BY_ISBN, BY_ISBN_ALONE, BY_YEAR = 0.99, 0.6, 0.4
"""How sure an ISBN is; one that neither title nor author agrees with; an author's book of the same year."""
_SAME_AUTHOR: Final = 0.9
_SAME_YEAR, _OTHER_YEAR = 0.7, 1.1
"""What the years of first publication make of the doubt; they differ by one from source to source."""
_YEARS_APART: Final = 3
_CLOSE: Final = 0.02
"""Two books that are as good as each other."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A book that a row may be."""

    book_id: int
    confidence: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Match:
    """What was found for a row."""

    row: ExportRow
    guesses: tuple[Guess, ...]
    """The surest first; none if the catalog has nothing like it."""
    is_sure: bool
    """Whether the first one is the book."""


def match_rows(session: Session, rows: Sequence[ExportRow]) -> list[Match]:
    """What each row is, in their order: by ISBN, else by title, else among the books of its authors."""
    searches = [_Search(row) for row in rows]
    for find, list_keys in (
        (find_by_isbns, _Search.isbns),
        (find_by_headings, _Search.headings),
        (find_by_authors, _Search.author_keys),
    ):
        _look_up(session, find, {each: list_keys(each) for each in searches if not each.is_sure})
    twins = {book_id for each in searches for book_id in each.twins}
    readers = count_readers_of(session, twins) if twins else {}
    return [each.match(readers) for each in searches]


class _Search:
    """A row, taken apart, and the books that it may be."""

    def __init__(self, row: ExportRow) -> None:
        self.row = row
        self._title = read_title(row.title)
        self._authors = [read_name(name) for name in row.authors]
        self._candidates: list[Candidate] = []
        self._best: dict[int, tuple[float, Candidate]] = {}
        """How sure each book is, and in which of its forms: editions may have titles of their own."""
        self.twins: list[int] = []
        """The books that are as good as the best one, and the same to all appearances; that one included."""
        self.is_sure = False

    def isbns(self) -> set[str]:
        return {self.row.isbn} if self.row.isbn else set()

    def headings(self) -> set[str]:
        """Under which its title may stand."""
        title = self._title
        texts = [self.row.title, *self.row.title.split(":")]
        texts += [" ".join(words) for words in (title.main, title.subtitle, title.series)]
        return set(filter(None, map(title_heading, texts)))

    def author_keys(self) -> set[str]:
        """Under which its authors may stand."""
        keys = {author_key(name) for name in self.row.authors}
        for name in filter(None, self._authors):
            keys |= {author_key(" ".join(words)) for words in (name, name[::-1], (name[0], name[-1]))}
        return keys

    def add(self, candidates: Sequence[Candidate], *, by_isbn: bool) -> None:
        """Judge more books."""
        self._candidates += candidates
        for candidate in candidates:
            author = compare_authors(self._authors, candidate.authors)
            title = self._compare_titles(candidate)
            sure = self._weigh(author, title, candidate.year)
            if by_isbn:
                sure = BY_ISBN if author or title else BY_ISBN_ALONE
            if sure > self._sure(candidate.book_id):
                self._best[candidate.book_id] = sure, candidate
        best = max((sure for sure, _ in self._best.values()), default=0.0)
        close = [book_id for book_id, (sure, _) in self._best.items() if sure >= best - _CLOSE]
        self.twins = [book_id for book_id in close if self._are_twins(close[0], book_id)]
        self.is_sure = best >= SURE and len(self.twins) == len(close)

    def match(self, readers: Mapping[int, int]) -> Match:
        """The verdict; of twins that of the row's year, then the surest, then the one of most readers."""

        def place(book_id: int) -> tuple[bool, bool, float, int, int]:
            sure, candidate = self._best[book_id]
            is_twin = book_id in self.twins
            is_of_other_year = is_twin and candidate.year not in (self.row.year, None)
            return not is_twin, is_of_other_year, -sure, -readers.get(book_id, 0), book_id

        ranked = sorted((i for i, (sure, _) in self._best.items() if sure >= MAYBE), key=place)
        guesses = tuple(Guess(i, round(self._sure(i), 2)) for i in ranked[:MOST_GUESSES])
        return Match(self.row, guesses[:1] if self.is_sure else guesses, self.is_sure)

    def _sure(self, book_id: int) -> float:
        return self._best[book_id][0] if book_id in self._best else 0.0

    def _are_twins(self, one: int, other: int) -> bool:
        """Whether the catalog has one book twice."""
        (_, ours), (_, theirs) = self._best[one], self._best[other]
        return one == other or (
            compare_titles(ours.title, theirs.title) * compare_authors(ours.authors, theirs.authors) >= SURE
        )

    def _compare_titles(self, candidate: Candidate) -> float:
        sure = compare_titles(self._title, candidate.title)
        return min(sure, PART) if sure < SAME and self._is_of_series(candidate) else sure

    def _is_of_series(self, candidate: Candidate) -> bool:
        """Whether other books have its main title too, so that the subtitle tells them apart."""
        return self._title.main == candidate.title.main and any(
            other.title.main == candidate.title.main and other.title.subtitle != candidate.title.subtitle
            for other in self._candidates
            if other.title.subtitle
            and other.book_id != candidate.book_id
            and compare_authors(other.authors, candidate.authors)
        )

    def _weigh(self, author: float, title: float, year: int | None) -> float:
        """How sure author and title are together, and the years of first publication."""
        doubt = 1 - author * title
        if not (self.row.year and year):
            return 1 - doubt
        apart = abs(self.row.year - year)
        if title > PART:
            doubt *= _SAME_YEAR if apart < 2 else _OTHER_YEAR if apart > _YEARS_APART else 1
        is_only_of_year = author >= _SAME_AUTHOR and apart == 0
        return max(1 - doubt, BY_YEAR if is_only_of_year else 0.0)


def _look_up(
    session: Session,
    find: Callable[[Session, Collection[str]], Mapping[str, Sequence[int]]],
    searches: Mapping[_Search, Collection[str]],
) -> None:
    """Let these searches judge the books that are found by their keys."""
    found = find(session, {key for keys in searches.values() for key in keys})
    ids = {each: {i for key in keys for i in found.get(key, ())} for each, keys in searches.items()}
    books = read_candidates(session, set[int]().union(*ids.values()))
    for each, book_ids in ids.items():
        if known := [books[i] for i in sorted(book_ids) if i in books]:
            each.add(known, by_isbn=find is find_by_isbns)
