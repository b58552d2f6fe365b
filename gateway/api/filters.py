"""The filters of books, the same wherever books are listed or searched."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from contracts.metadata import BookFilters
from gateway.api.services import DeadlineDep, ServicesDep
from gateway.schemas import Whole

_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Year = Annotated[int, Field(ge=-9999, le=9999), Whole]


async def _read_filters(
    services: ServicesDep,
    deadline: DeadlineDep,
    subject: Annotated[
        _Text | None,
        Query(description="Only books of this subject, in any case.", examples=["Science fiction"]),
    ] = None,
    author: Annotated[
        _Text | None,
        Query(
            description="Only books of the author of this whole name, in any case and without accents.",
            examples=["Ursula K. Le Guin"],
        ),
    ] = None,
    language: Annotated[
        str | None,
        Query(
            min_length=3,
            max_length=3,
            description="Only books in this language, by its ISO 639-2/B code.",
            examples=["eng"],
        ),
    ] = None,
    year_from: Annotated[
        _Year | None,
        Query(description="Only books of this year or later; before Christ below 0.", examples=[1960]),
    ] = None,
    year_to: Annotated[
        _Year | None, Query(description="Only books of this year or earlier.", examples=[1980])
    ] = None,
) -> BookFilters:
    """Raises UnknownSubjects."""
    if subject is not None:
        [subject] = await services.subjects.resolve([subject], deadline)
    return BookFilters(
        subject=subject, author=author, language=language, year_from=year_from, year_to=year_to
    )


FiltersDep = Annotated[BookFilters, Depends(_read_filters)]
