"""The metadata server: book cards, popularity and keyword search."""

from typing import Annotated

from pydantic import Field

from contracts.shell import MAX_BOOKS, BookId, Request, Response, ResponsePart, ScoredBooks

CARDS_PATH = "/cards"
POPULAR_PATH = "/popular"
SCORES_PATH = "/scores"
SEARCH_PATH = "/search"


class CardsRequest(Request):
    """Cards of these books."""

    book_ids: Annotated[list[BookId], Field(min_length=1, max_length=MAX_BOOKS)]


class BookCard(ResponsePart):
    """What a reader sees of a book."""

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


class CardsResponse(Response):
    """Cards in the order of the request; books that this version does not know are left out."""

    cards: list[BookCard]


class PopularRequest(Request):
    """The most popular books from `offset` on, overall (every book has its place) or of one subject."""

    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]
    offset: Annotated[int, Field(ge=0)] = 0
    subject: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class ScoresRequest(Request):
    """Popularity, in [0, 1], of the given books: in their order, 0 for an unknown book."""

    book_ids: Annotated[list[BookId], Field(min_length=1, max_length=MAX_BOOKS)]


class SearchRequest(Request):
    """Keyword search over titles, authors, subjects; one typo a word is forgiven."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]


PopularResponse = ScoredBooks
SearchResponse = ScoredBooks
ScoresResponse = ScoredBooks
