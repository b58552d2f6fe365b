"""The similarity server: books near a book, or near a vector."""

from typing import Annotated, Literal

from pydantic import Field

from contracts import shell
from contracts.shell import MAX_BOOKS, BookId, Request, ScoredBooks, Vector, Weight

SIMILAR_PATH = "/similar"
NEAREST_PATH = "/nearest"
SCORES_PATH = "/scores"

SimilarMode = Literal["blend", "item-item", "als", "subject", "hybrid"]


class SimilarRequest(Request):
    """Books similar to one book, never the book itself nor an excluded one."""

    book_id: BookId
    mode: SimilarMode = "hybrid"
    weight: Weight = 0.5
    """Share of the ALS vectors in `hybrid`; the rest is the subject vectors'."""
    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]
    exclude: Annotated[list[BookId], Field(max_length=MAX_BOOKS)] = []


class NearestRequest(Request):
    """Books whose subject vectors are nearest to a vector, exactly (inner product)."""

    vector: Vector
    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]


class ScoresRequest(shell.ScoresRequest):
    """Similarity of the given books to a vector: in their order, 0 for a book without a subject vector."""

    vector: Vector


SimilarResponse = ScoredBooks
NearestResponse = ScoredBooks
ScoresResponse = shell.ScoresResponse
