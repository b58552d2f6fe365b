"""The metadata server: book cards, popularity and keyword search."""

from typing import Annotated, Literal, Self

import msgspec
from pydantic import Field

from contracts import shell
from contracts.shell import MAX_BOOKS, BookId, Request, ScoredBooks

CARDS_PATH = "/cards"
POPULAR_PATH = "/popular"
SCORES_PATH = "/scores"
SEARCH_PATH = "/search"
BROWSE_PATH = "/browse"

Sort = Literal["popular", "newest", "title"]


class CardsRequest(Request):
    """Cards of these books."""

    book_ids: Annotated[list[BookId], Field(min_length=1, max_length=MAX_BOOKS)]


class BookCard(msgspec.Struct, frozen=True, gc=False):
    """What a reader sees of a book.

    By msgspec, which reads the cards of a list in a quarter of the time that pydantic takes; and the
    thousands that a gateway keeps are nothing to its garbage collector.
    """

    book_id: int
    title: str
    authors: list[str]
    year: int | None
    language: str | None
    isbns: list[str]
    main_subject: str | None
    subjects: list[str]
    description: str | None
    n_ratings: int
    mean_rating: float | None
    """Bayesian mean of the explicit ratings, 1 to 10; None without any."""
    n_pages: int | None = None
    """None also in versions of releases before 0.4.0."""


class CardsResponse(msgspec.Struct, frozen=True):
    """Cards in the order of the request; books that this version does not know are left out."""

    version: str
    cards: list[BookCard]

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray) -> Self:
        """As pydantic's models do. Raises msgspec.DecodeError."""
        return msgspec.json.decode(json_data, type=cls)

    def fits(self, request: Request) -> bool:
        """Whether they are of books of the request."""
        asked = request.book_ids if isinstance(request, CardsRequest) else []
        return {card.book_id for card in self.cards} <= set(asked)


class PopularRequest(Request):
    """The most popular books from `offset` on, overall (every book has its place) or of one subject."""

    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]
    offset: Annotated[int, Field(ge=0)] = 0
    subject: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class ScoresRequest(shell.ScoresRequest):
    """Popularity, in [0, 1], of the given books: in their order, 0 for an unknown book."""


class BookFilters(Request):
    """Only books that are all of this; what is left out leaves all."""

    subject: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """In any case."""
    author: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """A whole name, in any case and without accents."""
    language: Annotated[str, Field(min_length=1, max_length=10)] | None = None
    """As cards name it."""
    year_from: int | None = None
    year_to: int | None = None
    """A book of no known year is of none of these."""


ALL_BOOKS = BookFilters()


class BrowseRequest(Request):
    """A page of all books that pass the filters, in an order; without `exclude`, as if there were none."""

    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]
    offset: Annotated[int, Field(ge=0)] = 0
    sort: Sort = "popular"
    filters: BookFilters = ALL_BOOKS
    exclude: Annotated[list[BookId], Field(max_length=MAX_BOOKS)] = []


class SearchRequest(Request):
    """Keyword search over titles, authors, subjects; one typo a word is forgiven."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]
    filters: BookFilters = ALL_BOOKS


class BrowseResponse(ScoredBooks):
    """The page, in the order asked, with popularity as scores; `total` counts the books of all pages."""

    total: int


PopularResponse = ScoredBooks
SearchResponse = ScoredBooks
ScoresResponse = shell.ScoresResponse
