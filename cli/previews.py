"""Prints what a dry run of an import found."""

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from cli.console import number, out

if TYPE_CHECKING:
    from catalog.importing import Preview


def print_preview(preview: "Preview") -> None:
    """The first books and ratings, as they would be."""
    books = Table("title", "authors", number("year"), "subjects", title="First books", header_style="bold")
    for book in preview.books:
        year = "" if book.year is None else str(book.year)
        texts = book.title, ", ".join(book.authors), year, ", ".join(book.subjects)
        books.add_row(*map(escape, texts))
    ratings = Table(
        "reader", "book", number("rating"), number("becomes"), title="First ratings", header_style="bold"
    )
    for rating in preview.ratings:
        becomes = "used, not judged" if rating.stored is None else f"{rating.stored:g}"
        ratings.add_row(*map(escape, (rating.user, rating.title, rating.given, becomes)))
    out.print(books)
    out.print(ratings)
