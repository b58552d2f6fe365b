"""A list that is ready to send, with what is counted of it."""

from dataclasses import dataclass
from typing import Final, Self

import msgspec


class MadeItem(msgspec.Struct, frozen=True, gc=False):
    """A book of a list, as `schemas.BookItem` documents it; that one takes six times as long to make."""

    book_id: int
    title: str
    authors: list[str]
    year: int | None
    n_pages: int | None
    isbns: list[str]
    main_subject: str | None
    score: float


class MadeList(msgspec.Struct, frozen=True):
    """A list, as `schemas.BookList` documents it."""

    list_id: str
    version: str
    mode: str
    degraded: list[str]
    items: list[MadeItem]


_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True)
class Rendered:
    """A response, and facts that would have to be parsed out of it otherwise."""

    body: bytes
    version: str
    mode: str
    n_books: int
    scores: tuple[float, float] | None
    """Of the first and the last book, if there is any."""
    degraded: tuple[str, ...] = ()

    @classmethod
    def of(cls, books: MadeList) -> Self:
        """The list as JSON."""
        items = books.items
        scores = (items[0].score, items[-1].score) if items else None
        return cls(
            _ENCODER.encode(books), books.version, books.mode, len(items), scores, tuple(books.degraded)
        )

    def pack(self) -> bytes:
        """For a cache, under whose key the version stands; what is degraded is not cached."""
        facts = [self.mode, self.n_books, *(self.scores or ())]
        return " ".join(map(str, facts)).encode() + b"\n" + self.body

    @classmethod
    def unpack(cls, packed: bytes, version: str) -> Self:
        """What was packed."""
        facts, _, body = packed.partition(b"\n")
        mode, n_books, *scores = facts.decode().split(" ")
        return cls(
            body, version, mode, int(n_books), (float(scores[0]), float(scores[1])) if scores else None
        )
