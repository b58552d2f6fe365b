"""Reads what stands in single fields of an export."""

import re
from datetime import UTC, datetime
from typing import Final

from catalog.sources.scale import Scale
from catalog.sources.values import FieldWrong
from catalog.tables import TITLE_LENGTH

RATING_WRONG: Final = "the rating is no number of stars from 0 to 5"
STARS: Final = Scale(1.0, 5.0)
"""Both write 0 or nothing for a book that was not rated, and StoryGraph quarters of a star."""

LONGEST: Final = TITLE_LENGTH
"""Characters of a field that are read; only reviews have more, which nobody reads."""

_FORMULA: Final = re.compile(r'="(.*)"')
_DATE: Final = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})")


def read_text(text: str) -> str:
    """The text of a field, also of one written as a formula, ="0441172717", so that spreadsheets keep it."""
    text = text[:LONGEST].strip()
    formula = _FORMULA.fullmatch(text)
    return formula[1].strip() if formula else text


def read_stars(text: str) -> float | None:
    """A rating from 1 to 10; None if there is none. Raises FieldWrong."""
    if not text:
        return None
    try:
        stars = float(text.replace(",", "."))
    except ValueError:
        raise FieldWrong(RATING_WRONG) from None
    if not 0 <= stars <= STARS.highest:
        raise FieldWrong(RATING_WRONG)
    return STARS.parse(str(max(stars, STARS.lowest))) if stars else None


def read_date(text: str) -> int | None:
    """The beginning of a day, in seconds since 1970 UTC; None for none, and for one that is to come."""
    found = _DATE.match(text)
    try:
        day = datetime(*map(int, found.groups()), tzinfo=UTC) if found else None  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    if day is None or day > datetime.now(UTC) or day.year < 1970:
        return None
    return int(day.timestamp())


def split_names(text: str) -> tuple[str, ...]:
    """The names of a list."""
    return tuple(filter(None, map(str.strip, text.split(","))))
