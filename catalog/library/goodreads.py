"""Reads the rows of a Goodreads export (My Books, Import and export)."""

from collections.abc import Mapping
from typing import Final

from catalog.isbn import find_isbn
from catalog.library.fields import read_date, read_stars, split_names
from catalog.library.records import ExportRow, Shelf
from catalog.sources.values import to_year

NAME: Final = "goodreads"
COLUMNS: Final = ("Title", "Author", "My Rating", "Exclusive Shelf")
"""Those that an export must have."""

_SHELVES: Final = {
    "read": Shelf.READ,
    "currently-reading": Shelf.READING,
    "to-read": Shelf.TO_READ,
    **dict.fromkeys(("want-to-read", "wishlist", "tbr"), Shelf.TO_READ),
    **dict.fromkeys(("paused", "on-hold"), Shelf.READING),
    **dict.fromkeys(("did-not-finish", "dnf", "abandoned", "gave-up", "unfinished"), Shelf.ABANDONED),
}
"""Besides the first three, readers name such shelves themselves."""


def read_row(line: int, fields: Mapping[str, str]) -> ExportRow:
    """One row. Raises FieldWrong."""
    read_at = read_date(fields["Date Read"])
    is_read = read_at is not None or fields["Read Count"] not in ("", "0")
    return ExportRow(
        line=line,
        title=fields["Title"],
        authors=(fields["Author"], *split_names(fields["Additional Authors"])),
        isbn=find_isbn(fields["ISBN13"]) or find_isbn(fields["ISBN"], repair_zeros=True),
        year=to_year(fields["Original Publication Year"]),
        shelf=_SHELVES.get(fields["Exclusive Shelf"].casefold(), Shelf.READ if is_read else Shelf.OTHER),
        rating=read_stars(fields["My Rating"]),
        at=read_at if read_at is not None else read_date(fields["Date Added"]),
    )
