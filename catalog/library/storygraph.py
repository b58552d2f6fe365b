"""Reads the rows of a StoryGraph export (Manage account, Export StoryGraph library)."""

from collections.abc import Mapping
from typing import Final

from catalog.isbn import find_isbn
from catalog.library.fields import read_date, read_stars, split_names
from catalog.library.records import ExportRow, Shelf

NAME: Final = "storygraph"
COLUMNS: Final = ("Title", "Authors", "Read Status", "Star Rating")
"""Those that an export must have."""

_SHELVES: Final = {
    "read": Shelf.READ,
    "currently-reading": Shelf.READING,
    "paused": Shelf.READING,
    "to-read": Shelf.TO_READ,
    "did-not-finish": Shelf.ABANDONED,
}


def read_row(line: int, fields: Mapping[str, str]) -> ExportRow:
    """One row. Raises FieldWrong."""
    read_at = read_date(fields["Last Date Read"])
    return ExportRow(
        line=line,
        title=fields["Title"],
        authors=split_names(fields["Authors"]),
        isbn=find_isbn(fields["ISBN/UID"]),
        year=None,
        shelf=_SHELVES.get(fields["Read Status"].casefold(), Shelf.OTHER),
        rating=read_stars(fields["Star Rating"]),
        at=read_at if read_at is not None else read_date(fields["Date Added"]),
    )
