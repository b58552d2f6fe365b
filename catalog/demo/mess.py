"""Adds the mess of real dumps to a clean source, so that the cleaning can be seen at work.

Every record of the source is still there: an importer that cleans well finds the same books with titles, and
the same pairs of reader and such a book.
"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from catalog.demo.works import made_up_isbn
from catalog.isbn import build_isbn13, to_isbn10
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork, Source
from catalog.sources.row_log import RowLog

EDITIONS_SHARE = 0.25
"""Works with one or two editions more."""
BAD_ISBN_SHARE, UNKNOWN_ISBN_SHARE, OUT_OF_RANGE_SHARE, DUPLICATE_SHARE = 0.005, 0.03, 0.002, 0.01
"""Ratings added, for each rating of the source."""
AGE_MISSING_SHARE, AGE_ODD_SHARE, USER_MISSING_SHARE = 0.35, 0.02, 0.02
_ODD_AGES = ("0", "1", "4", "101", "239", "n/a")
_FIRST_UNKNOWN = 99_000_000


class Messy:
    """A source with several editions a work, lost zeros, bad ISBNs, odd ages, ratings without a title."""

    def __init__(self, source: Source, *, seed: int = 1) -> None:
        self.name, self.scale = source.name, source.scale
        self._source, self._seed = source, seed
        self._more_isbns: dict[str, list[str]] = defaultdict(list)

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """The source's works."""
        return self._source.works(log)

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """The source's editions, then more of some works, which do not name them; some with a bad ISBN."""
        rng = self._rng("editions")
        more: list[RawEdition] = []
        for edition in self._source.editions(log):
            yield edition
            if edition.authors and rng.random() < EDITIONS_SHARE:
                for _ in range(rng.integers(1, 3)):
                    text = _isbn10_without_zeros(len(more))
                    self._more_isbns[edition.isbns[0]].append(text)
                    more.append(_reprint(edition, text, variant=len(more)))
        for edition in more:
            log.read(edition.file)
            yield edition
            if rng.random() < BAD_ISBN_SHARE * 10:
                log.read(edition.file)
                yield edition._replace(isbns=(_spoil(edition.isbns[0]),))

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """The source's readers but a few, many without an age."""
        rng = self._rng("readers")
        for user in self._source.users(log):
            chance = rng.random(3)
            if chance[0] < USER_MISSING_SHARE:
                log.drop(user.file, "left out on purpose")
            elif chance[1] < AGE_MISSING_SHARE:
                yield user._replace(age="")
            elif chance[2] < AGE_ODD_SHARE:
                yield user._replace(age=str(rng.choice(_ODD_AGES)))
            else:
                yield user

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """The source's events."""
        return self._source.events(log)

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """The source's ratings, some by another edition, among others that must be dropped."""
        rng = self._rng("ratings")
        for number, rating in enumerate(self._source.ratings(log)):
            others = self._more_isbns.get(rating.isbn)
            chance = rng.random(5)
            printed = (
                rating._replace(isbn=others[number % len(others)]) if others and chance[0] < 0.5 else rating
            )
            yield printed
            for added in _added_rows(printed, rating, chance, number):
                log.read(added.file)
                yield added

    def _rng(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, *b"mess", *purpose.encode()])


def _added_rows(
    printed: RawRating, rating: RawRating, chance: np.ndarray[tuple[int], np.dtype[np.float64]], number: int
) -> Iterator[RawRating]:
    if chance[1] < DUPLICATE_SHARE:
        yield rating._replace(rating="0")
    if chance[2] < BAD_ISBN_SHARE:
        yield printed._replace(isbn=_spoil(rating.isbn))
    if chance[3] < UNKNOWN_ISBN_SHARE:
        yield printed._replace(isbn=made_up_isbn(_FIRST_UNKNOWN + number % 1_000_000))
    if chance[4] < OUT_OF_RANGE_SHARE:
        yield printed._replace(rating="11")


def _isbn10_without_zeros(number: int) -> str:
    """A valid ISBN-10 as a spreadsheet leaves it; no zeros can be lost from the unassigned 978-99999."""
    isbn10 = to_isbn10(build_isbn13(f"9780009{number:05}"))
    return str(isbn10).lstrip("0")


def _reprint(edition: RawEdition, isbn: str, *, variant: int) -> RawEdition:
    """Another edition, its title and author written as other publishers do."""
    title, author = edition.title, edition.authors[0]
    titles = (title, f"{title} (Demo Classics)", title.upper(), f"{title} : A Novel", _break_utf8(title))
    first, _, last = author.rpartition(" ")
    authors = (author, f"{last}, {first}" if first else author, author.upper())
    years = ("0", "2050", edition.year)
    return RawEdition(
        edition.file, (isbn,), None, titles[variant % len(titles)], (authors[variant % len(authors)],),
        years[variant % len(years)],
    )  # fmt: skip


def _break_utf8(text: str) -> str:
    """UTF-8 that was once read as Latin-1, and with its entities escaped."""
    return text.encode().decode("latin-1").replace("&", "&amp;")


def _spoil(isbn: str) -> str:
    return isbn[:-1] + ("1" if isbn[-1] != "1" else "2")
