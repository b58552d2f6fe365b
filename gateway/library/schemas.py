"""What clients send and get about libraries that readers bring."""

from typing import Final

from pydantic import Field

from catalog.library.records import Shelf
from contracts.shell import BookId
from gateway.schemas import Answer, AuthorNames, Body

MOST_LEFT_OUT: Final = 100
"""Rows that an answer names."""


class LeftOutRow(Answer):
    """A row of the file that could not be read, or says nothing of the reader."""

    line: int = Field(description="Where it begins in the file.", examples=[17])
    reason: str = Field(examples=["too few fields"])


class CandidateBook(Answer):
    """A book that a row may be."""

    book_id: int = Field(examples=[243])
    title: str = Field(examples=["The Dispossessed"])
    authors: AuthorNames = Field(examples=[["Ursula K. Le Guin"]])
    year: int | None = Field(examples=[1974])
    confidence: float = Field(description="How sure that is, 0 to 1.", examples=[0.78])


class ReviewRow(Answer):
    """A row of the library of which we are not sure which book it is."""

    row_id: int = Field(examples=[5])
    title: str = Field(examples=["The Dispossessed: An Ambiguous Utopia"])
    author: str = Field(examples=["Ursula K. Le Guin"])
    isbn: str | None = Field(examples=["9780060512750"])
    rating: float | None = Field(description="1 to 10.", examples=[7.75])
    read_at: int | None = Field(description="Seconds since 1970 UTC.", examples=[1686787200])
    shelf: Shelf
    candidates: list[CandidateBook] = Field(description="The surest first.")


class ReviewList(Answer):
    """A page of the rows that wait for the reader, in the order in which they came."""

    total: int = Field(description="Rows that wait, on all pages.", examples=[12])
    items: list[ReviewRow]


class LibraryImport(Answer):
    """What became of the rows of a file; each counts once."""

    source: str = Field(description="Whose export it is.", examples=["goodreads"])
    n_rows: int = Field(examples=[412])
    n_new: int = Field(description="Books rated, wanted or abandoned that were not before.", examples=[371])
    n_changed: int = Field(description="Ratings that the file has changed.", examples=[2])
    n_unchanged: int = Field(description="As they are, or changed here since.", examples=[9])
    n_to_review: int = Field(description="Rows that may be a book, to be settled.", examples=[12])
    n_not_found: int = Field(description="Rows of which the catalog has nothing.", examples=[16])
    n_left_out: int = Field(examples=[2])
    left_out: list[LeftOutRow] = Field(description=f"The first {MOST_LEFT_OUT} rows that were left out.")
    review: ReviewList = Field(description="The first page of what waits now, from earlier imports too.")


class Settlement(Body):
    """Which book a row is."""

    book_id: BookId | None = Field(
        description="One of the candidates or any other book; null: none of the catalog's.", examples=[243]
    )
