"""Prints what a dry run of an import found."""

from typing import TYPE_CHECKING

from cli.console import number
from cli.tables import print_rows

if TYPE_CHECKING:
    from catalog.importing import Preview


def print_preview(preview: "Preview") -> None:
    """The first books and ratings, as they would be."""
    books = (
        (book.title, ", ".join(book.authors), book.year, ", ".join(book.subjects)) for book in preview.books
    )
    print_rows(("title", "authors", number("year"), "subjects"), books, title="First books")
    ratings = (
        (each.user, each.title, each.given, "used, not judged" if each.stored is None else f"{each.stored:g}")
        for each in preview.ratings
    )
    print_rows(("reader", "book", number("rating"), number("becomes")), ratings, title="First ratings")
