"""Exports as Goodreads and StoryGraph write them."""

import csv
import io
from collections.abc import Iterable

GOODREADS = (
    "Book Id", "Title", "Author", "Author l-f", "Additional Authors", "ISBN", "ISBN13", "My Rating",
    "Average Rating", "Publisher", "Binding", "Number of Pages", "Year Published",
    "Original Publication Year", "Date Read", "Date Added", "Bookshelves", "Bookshelves with positions",
    "Exclusive Shelf", "My Review", "Spoiler", "Private Notes", "Read Count", "Owned Copies",
)  # fmt: skip
STORYGRAPH = (
    "Title", "Authors", "Contributors", "ISBN/UID", "Format", "Read Status", "Date Added", "Last Date Read",
    "Dates Read", "Read Count", "Moods", "Pace", "Character- or Plot-Driven?",
    "Strong Character Development?", "Loveable Characters?", "Diverse Characters?", "Flawed Characters?",
    "Star Rating", "Review", "Content Warnings", "Content Warning Description", "Tags", "Owned?",
)  # fmt: skip


def goodreads_row(
    title: str = "Dune (Dune, #1)", author: str = "Frank Herbert", **fields: str
) -> dict[str, str]:
    """A book that was read; fields by their columns, in small letters and with _ for a space."""
    named = {name: fields.pop(name.lower().replace(" ", "_"), "") for name in GOODREADS}
    assert not fields, fields
    named |= {"Title": title, "Author": author}
    named["Exclusive Shelf"] = named["Exclusive Shelf"] or "read"
    named["My Rating"] = named["My Rating"] or "0"
    for isbn in ("ISBN", "ISBN13"):
        named[isbn] = f'="{named[isbn]}"'
    return named


def storygraph_row(title: str = "Dune", authors: str = "Frank Herbert", **fields: str) -> dict[str, str]:
    """The same of the other export; `isbn` is its ISBN/UID."""
    named = {name: fields.pop(name.lower().replace(" ", "_"), "") for name in STORYGRAPH}
    named |= {"Title": title, "Authors": authors, "ISBN/UID": fields.pop("isbn", "")}
    assert not fields, fields
    named["Read Status"] = named["Read Status"] or "read"
    return named


def write_goodreads(rows: Iterable[dict[str, str]]) -> bytes:
    return _write(GOODREADS, rows)


def write_storygraph(rows: Iterable[dict[str, str]]) -> bytes:
    return _write(STORYGRAPH, rows)


def _write(columns: tuple[str, ...], rows: Iterable[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
