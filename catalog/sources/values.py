"""Texts, years and times of what stands in a field of any file, a list or a number too."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from catalog.cleaning import parse_year
from catalog.sources.csv_rows import NUL_BYTE

WRONG_TYPE: Final = "a field of another type"
LONGEST_TEXT: Final = 1 << 23
"""Characters."""
TOO_LONG: Final = "field too long"
MILLISECONDS: Final = "milliseconds"
"""In the place of a format of `strptime`."""
_LATEST_S: Final = 253_402_300_799
"""The end of the year 9999: what is later is no time in seconds."""
_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "x"})


class FieldWrong(Exception):
    """A field cannot be what it is said to be; `reason` is one of a few fixed phrases."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def to_text(value: Any) -> str:
    """A field as text; nothing for one that is missing. Raises FieldWrong for a list and the like."""
    match value:
        case str():
            if "\0" in value:
                raise FieldWrong(NUL_BYTE)
            if len(value) > LONGEST_TEXT:
                raise FieldWrong(TOO_LONG)
            return value.strip()
        case None:
            return ""
        case bool():
            return str(int(value))
        case float() if value.is_integer():  # numbers of a column that lacks some of them
            return str(int(value))
        case float():
            return "" if math.isnan(value) else str(value)
        case int() | Decimal():
            return str(value)
        case date():
            return value.isoformat()
    raise FieldWrong(WRONG_TYPE)


def to_texts(value: Any, separator: str) -> Iterator[str]:
    """The texts of a list, or the parts of a text; none is empty. Raises FieldWrong."""
    if isinstance(value, list):
        for each in value:
            yield from to_texts(each, separator) if isinstance(each, list) else filter(None, [to_text(each)])
    else:
        yield from filter(None, map(str.strip, to_text(value).split(separator)))


def is_true(text: str) -> bool:
    """Whether a flag is set."""
    return text.casefold() in _TRUE


def to_year(text: str) -> int | None:
    """A year, perhaps before Christ or with the decimals of a spreadsheet; else the first year in a text."""
    number = re.fullmatch(r"(-?\d{1,4})(?:\.0+)?", text)
    return int(number[1]) if number else parse_year(text)


def to_time(text: str, written: str | None = None) -> int | None:
    """Seconds since 1970 UTC, a time without a zone being UTC; None for what is no time.

    `written` is a format of `strptime` or MILLISECONDS; without it seconds or ISO 8601 are read.
    """
    try:
        if written == MILLISECONDS:
            seconds = int(text) // 1_000
        elif written is None and re.fullmatch(r"\d+(?:\.\d*)?", text):
            seconds = int(float(text))
        else:
            # A zone that is not told is UTC, as is said below.
            time = datetime.strptime(text, written) if written else datetime.fromisoformat(text)  # noqa: DTZ007
            seconds = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= _LATEST_S else None
