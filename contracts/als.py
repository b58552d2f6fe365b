"""The als server: rankings for a reader from what they have read."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.shell import MAX_BOOKS, BookId, Request, Response, ResponsePart, Score, ScoredBooks, Weight

RANK_PATH = "/rank"
RANK_NEW_PATH = "/rank-new"
EXPLAIN_PATH = "/explain"

RatingStrength = Annotated[float, Field(ge=0, le=2)]
"""How far ratings move the scores, as `ServingRules.rating_strength` has it."""


AuthorLimit = Annotated[int, Field(ge=1)] | None
"""Most books of one author in any ten consecutive ones, where enough others are left; None is no limit."""
MAX_TOLD = 64
"""Most favourites of one sort in a message."""
Name = Annotated[str, Field(min_length=1, max_length=200)]


class HistoryBook(Request):
    """A book that a reader has read; a rating of None is an implicit one."""

    book_id: BookId
    rating: Annotated[float, Field(ge=1, le=10)] | None = None


class EventBook(Request):
    """A book that a reader did something else with than read or rate it."""

    book_id: BookId
    weight: Weight
    """How much it counts, where a book read counts 1."""


class RankRequest(Request):
    """Rank books for whoever has this history and these events, or one of them.

    `exclude` never comes back, nor, unless it says so, the history itself; books of events may.
    """

    history: Annotated[list[HistoryBook], Field(max_length=MAX_BOOKS)]
    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]
    exclude: Annotated[list[BookId], Field(max_length=MAX_BOOKS)] = []
    popularity_weight: Weight | None = None
    """Share of popularity in the score; None leaves the tuned blend as it is."""
    rating_strength: RatingStrength = 1.0
    events: Annotated[list[EventBook], Field(max_length=MAX_BOOKS)] = []
    with_history: bool = False
    """Whether books of the history may come back, to be read again."""
    author_limit: AuthorLimit = None

    @model_validator(mode="after")
    def _has_books(self) -> Self:
        if not self.history and not self.events:
            raise ValueError("name a book of the history or of an event")
        return self


RankNewResponse = ScoredBooks


class RankResponse(ScoredBooks):
    """Ranked books; fewer than k only if the version knows no more.

    A score has no bounds and means something within one list only. Higher is better: without ratings 1 is a
    book that all kinds of evidence put first, a loved book lifts its like further, a hated one below 0.
    """

    n_known: int
    """How many books of the history this version knows."""


class RankNewRequest(Request):
    """Rank books for a reader without a history, by what they tell of themselves, the dearest first.

    A version that knows none of it refuses.
    """

    subjects: Annotated[list[Name], Field(max_length=MAX_TOLD)] = []
    author_ids: Annotated[list[BookId], Field(max_length=MAX_TOLD)] = []
    traits: Annotated[list[Name], Field(max_length=MAX_TOLD)] = []
    """Such as `gender=female`."""
    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]
    exclude: Annotated[list[BookId], Field(max_length=MAX_BOOKS)] = []
    popularity_weight: Weight | None = None
    """Share of popularity in the score; None leaves the tuned blend as it is."""
    author_limit: AuthorLimit = None


class ExplainRequest(Request):
    """Why these books for whoever has this history."""

    history: Annotated[list[HistoryBook], Field(min_length=1, max_length=MAX_BOOKS)]
    book_ids: Annotated[list[BookId], Field(min_length=1, max_length=100)]
    k: Annotated[int, Field(ge=1, le=20)] = 3
    rating_strength: RatingStrength = 1.0


class Contribution(ResponsePart):
    """Share of one book of the history in the evidence for a recommended one; neither is the other."""

    book_id: BookId
    share: Score
    """In (0, 1]; those of all books that speak for the recommended one sum to 1. A disliked book is none."""


class ExplainResponse(Response):
    """For each wanted book, in order, what of the history speaks for it most; empty if none does."""

    contributions: list[list[Contribution]]

    def fits(self, request: Request) -> bool:
        """Whether each wanted book has its reasons, all of them out of the history."""
        if not isinstance(request, ExplainRequest):
            return False
        history = {book.book_id for book in request.history}
        reasons = {each.book_id for reasons in self.contributions for each in reasons}
        return len(self.contributions) == len(request.book_ids) and reasons <= history
