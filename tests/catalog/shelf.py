"""A small library whose contents every test can keep in mind."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.isbn import build_isbn13
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork
from catalog.sources.row_log import RowLog
from catalog.sources.scale import TEN_POINTS, Scale

R = TypeVar("R", RawWork, RawEdition, RawUser, RawRating, RawEvent)
SCALES = {
    "five-stars": (Scale(1, 5, whole=True), [str(n) for n in range(1, 6)]),
    "half-stars": (Scale(0.5, 5), [str(n / 2) for n in range(1, 11)]),
    "ten-points": (TEN_POINTS, [str(n) for n in range(1, 11)]),
    "share": (Scale(0, 1), [str(n / 1_000) for n in range(1_001)]),
    "percent": (Scale(0, 100, implicit="none"), [str(n / 4) for n in range(401)]),
    "votes": (Scale(-10, 10), [str(n / 10) for n in range(-100, 101)]),
}
"""Scales, and each rating of theirs."""


def isbn(number: int) -> str:
    """A valid ISBN-13 of no real book."""
    return build_isbn13(f"97899999{number:04}")


def work(
    key: str, title: str, author: str = "Ada Lovelace", *subjects: str, year: int | None = 1900
) -> RawWork:
    """A work with sensible values."""
    return RawWork("works", key, title, (author,) if author else (), year, "eng", f"About {title}.", subjects)


def edition(
    number: int,
    title: str,
    author: str = "Ada Lovelace",
    *,
    of: str | None = None,
    year: str = "1999",
    n_pages: int | None = None,
) -> RawEdition:
    """The edition with this made-up ISBN."""
    return RawEdition("editions", (isbn(number),), of, title, (author,) if author else (), year, n_pages)


def rating(user: str, number: int, value: str, at: int | None = None) -> RawRating:
    """A rating of the edition with this made-up ISBN."""
    return RawRating("ratings", user, None, isbn(number), value, at)


def event(user: str, number: int, kind: str = "to_read", at: int | None = None) -> RawEvent:
    """What a reader did with the edition with this made-up ISBN."""
    return RawEvent("events", user, None, isbn(number), kind, at)


def user(external_id: str, age: str = "30", location: str = "paris, , france") -> RawUser:
    """A reader."""
    return RawUser("users", external_id, age, location)


@dataclass
class ListSource:
    """A source of the given records."""

    work_list: Sequence[RawWork] = ()
    edition_list: Sequence[RawEdition] = ()
    user_list: Sequence[RawUser] = ()
    rating_list: Sequence[RawRating] = ()
    name: str = "lists"
    scale: Scale = TEN_POINTS
    event_list: Sequence[RawEvent] = ()

    def works(self, log: RowLog) -> Iterator[RawWork]:
        return _logged(self.work_list, log)

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        return _logged(self.edition_list, log)

    def users(self, log: RowLog) -> Iterator[RawUser]:
        return _logged(self.user_list, log)

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        return _logged(self.rating_list, log)

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        return _logged(self.event_list, log)


def one_book(name: str, scale: Scale, ratings: list[str]) -> ListSource:
    """A source whose readers, named by their rating, have all rated its only book."""
    rows = [RawRating("ratings", text, None, isbn(1), text, None) for text in ratings]
    return ListSource(edition_list=[edition(1, "Ash")], rating_list=rows, name=name, scale=scale)


def _logged(records: Iterable[R], log: RowLog) -> Iterator[R]:
    for record in records:
        log.read(record.file)
        yield record
