"""A row of the library that a reader brings, whoever exported it."""

from dataclasses import dataclass
from enum import StrEnum


class Shelf(StrEnum):
    """What a reader says of a book besides a rating."""

    READ = "read"
    READING = "reading"
    TO_READ = "to_read"
    ABANDONED = "abandoned"
    OTHER = "other"
    """A shelf of their own, which does not say whether they have read it."""


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A book as its export describes it."""

    line: int
    """Where it begins in the file."""
    title: str
    authors: tuple[str, ...]
    """The first author first."""
    isbn: str | None
    """Canonical ISBN-13."""
    year: int | None
    """Of first publication."""
    shelf: Shelf
    rating: float | None
    """1 to 10."""
    at: int | None
    """When it was read or put on the shelf, in seconds since 1970 UTC."""
