"""Commands on editions: which book an ISBN is one of."""

from typing import Annotated

import typer

from catalog.editing import editions
from cli.changes import Book, changing, say

app = typer.Typer(help="Say which book an ISBN is one of.", no_args_is_help=True)

Isbn = Annotated[str, typer.Argument(help="10 or 13 digits, with or without hyphens.")]


@app.command("add")
def add(
    isbn: Isbn,
    book: Book,
    year: Annotated[int | None, typer.Option(help="Year of this edition.")] = None,
    pages: Annotated[int | None, typer.Option(help="Its number of pages.")] = None,
) -> None:
    """Give a book an ISBN that no book has."""
    with changing("edition_added", isbn=isbn, book=book) as session:
        editions.add_edition(session, isbn, book, year=year, n_pages=pages)
    say(f"ISBN {isbn} is one of book {book}")


@app.command("move")
def move(isbn: Isbn, book: Book) -> None:
    """Give a book an ISBN of another one; ratings follow at the next import that names the ISBN."""
    with changing("edition_moved", isbn=isbn, book=book) as session:
        former = editions.move_edition(session, isbn, book)
    say(f"ISBN {isbn} is one of book {book}, no longer of book {former}")


@app.command("remove")
def remove(isbn: Isbn) -> None:
    """Take an ISBN away from its book; imports leave it out from now on."""
    with changing("edition_removed", isbn=isbn) as session:
        former = editions.remove_edition(session, isbn)
    say(f"ISBN {isbn} is no longer one of book {former}")
