"""Names the decade of a book's year and the hundred of its pages, for reports and features to group by."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, String, case, cast, literal, or_, update
from sqlalchemy.orm import InstrumentedAttribute

from catalog.tables import Book

UNKNOWN = "unknown"
"""Where there is no number: a guess would count as if it were known."""
_FIRST_DECADE, _MOST_PAGES = 1900, 1000


def write_buckets(connection: Connection, books: ColumnElement[bool]) -> None:
    """Name the buckets of these books anew, where their names differ."""
    names = {Book.year_bucket: name_year(Book.year), Book.page_bucket: name_pages(Book.n_pages)}
    differs = or_(*(column.is_distinct_from(name) for column, name in names.items()))
    connection.execute(update(Book).where(books, differs).values({c.key: name for c, name in names.items()}))


def name_year(year: InstrumentedAttribute[int | None]) -> ColumnElement[str]:
    """The bucket of a year: `before 1900`, `1990s`."""
    return case(
        (year.is_(None), literal(UNKNOWN)),
        (year < _FIRST_DECADE, literal(f"before {_FIRST_DECADE}")),
        else_=_text(year - year % 10) + "s",
    )


def name_pages(n_pages: InstrumentedAttribute[int | None]) -> ColumnElement[str]:
    """The bucket of a number of pages: `1-99`, `200-299`, `1000 or more`."""
    return case(
        (n_pages.is_(None), literal(UNKNOWN)),
        (n_pages < 100, literal("1-99")),
        (n_pages >= _MOST_PAGES, literal(f"{_MOST_PAGES} or more")),
        else_=_text(n_pages - n_pages % 100) + "-" + _text(n_pages - n_pages % 100 + 99),
    )


def _text(number: ColumnElement[Any]) -> ColumnElement[str]:
    return cast(number, String(12))
