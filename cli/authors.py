"""Commands on authors: list, rename, merge."""

from typing import Annotated

import typer

from catalog.editing import authors
from cli.changes import AsJson, changing, print_json, reading, say
from cli.console import number
from cli.tables import print_rows

app = typer.Typer(help="List, rename and merge authors.", no_args_is_help=True)

Author = Annotated[
    int, typer.Argument(metavar="AUTHOR", help="Their author_id, as `bookmesh authors list` tells it.")
]


@app.command("list")
def list_(
    name: Annotated[str, typer.Argument(help="A part of the name, in any case and without accents.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most of them to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List authors, those of most books first."""
    with reading() as session:
        rows = authors.list_authors(session, name=name, limit=limit)
    if as_json:
        print_json(rows)
    else:
        cells = ((row.author_id, row.name, f"{row.n_books:,}") for row in rows)
        print_rows((number("author"), "name", number("books")), cells)


@app.command("rename")
def rename(author: Author, name: Annotated[str, typer.Argument(help="As it should be spelled.")]) -> None:
    """Spell an author's name otherwise; imports know them by the former name too."""
    with changing("author_renamed", author=author, name=name) as session:
        authors.rename_author(session, author, name)
    say(f"author {author} is called {name}")


@app.command("merge")
def merge(
    author: Author, into: Annotated[int, typer.Argument(help="The author_id of the one who stays.")]
) -> None:
    """Make two authors one; imports give them the books of both names."""
    with changing("authors_merged", author=author, into=into) as session:
        authors.merge_authors(session, author, into)
    say(f"what author {author} wrote is of author {into} now")
