"""What a source of books and ratings is: streams of raw records, for the importer to clean and write."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from catalog.sources.row_log import RowLog
from catalog.sources.scale import Scale


class RawWork(NamedTuple):
    """A work as its source tells it; texts are not cleaned yet."""

    file: str
    """Name in the import report."""
    external_id: str
    title: str | None
    """None where the source has nothing but the id, which is then the title of a book that is new."""
    authors: tuple[str, ...]
    year: int | None
    language: str | None
    description: str | None
    subjects: tuple[str, ...]
    """As found in the wild; the importer folds them to a usable vocabulary."""
    exact_subjects: tuple[str, ...] = ()
    """Those of a short list of the source's own, such as a shop's departments: they keep their names."""
    stands_alone: bool = False
    """Whether no other work or edition is joined to it by title and author."""


class RawEdition(NamedTuple):
    """A printed form of a work; one without `work` is merged with others of its title and first author."""

    file: str
    isbns: tuple[str, ...]
    work: str | None
    """external_id of a work of the same source."""
    title: str
    authors: tuple[str, ...]
    year: str
    n_pages: int | None = None


class RawUser(NamedTuple):
    """A reader, with what their source tells of them."""

    file: str
    external_id: str
    age: str
    location: str
    """Free text, the country last."""
    gender: str = ""
    occupation: str = ""
    postal_code: str = ""


class RawRating(NamedTuple):
    """That a reader has read a book, named by its work, by an ISBN or by both: then the work counts first."""

    file: str
    user: str
    work: str | None
    """external_id of a work of the same source."""
    isbn: str
    """As printed; empty if the source has none."""
    rating: str
    """As the source's scale has it."""
    rated_at: int | None
    """Seconds since 1970 UTC."""


class RawEvent(NamedTuple):
    """That a reader did something with a book, which is named as in a rating."""

    file: str
    user: str
    work: str | None
    isbn: str
    kind: str
    """One of `EventKind`."""
    at: int | None
    """Seconds since 1970 UTC."""


class Source(Protocol):
    """Streams of raw records, in the order in which the importer asks for them.

    A source calls `log.read` for every row of its files and `log.drop` for those it yields nothing of; the
    importer calls `log.keep` or `log.drop` for every record it gets. Raises SourceError for a
    file that cannot be used. Ids have no spaces around them.
    """

    name: str
    """Written to `source` of every reader and book, for example "book-crossing"."""
    scale: Scale
    """What its ratings mean."""

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """Works with a key of their own."""

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """Editions: those that name their work come first."""

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """Readers that the source describes."""

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """Ratings, in any order, also of readers that the source does not describe."""

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """What readers that it describes or that have rated did besides rating."""
