"""Commands on books: add, show, change, merge and split, withdraw and restore."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, cast

import typer

from catalog.editing import books
from catalog.editing.fields import BookFields
from catalog.editing.shown import StoredBook, find_edition, read_book
from catalog.isbn import find_isbn
from catalog.merging.merged import MergedBookRow, count_merges, list_merges
from cli.changes import AsJson, Book, changing, print_json, reading, say
from cli.console import err, number
from cli.tables import Cell, print_fields, print_rows

app = typer.Typer(help="Add, show, change, merge, split and withdraw books.", no_args_is_help=True)


class Clearable(StrEnum):
    """What a book need not have."""

    AUTHORS = "authors"
    YEAR = "year"
    LANGUAGE = "language"
    DESCRIPTION = "description"
    PAGES = "pages"
    SUBJECTS = "subjects"


Authors = Annotated[
    list[str] | None, typer.Option("--author", help="An author; repeat it, the first author first.")
]
Year = Annotated[int | None, typer.Option(help="Year of first publication; negative before Christ.")]
Language = Annotated[str | None, typer.Option(help="ISO 639-2 code of three letters, such as eng.")]
Description = Annotated[str | None, typer.Option(help="What it is about, in sentences.")]
Pages = Annotated[int | None, typer.Option(help="Number of pages.")]
Subjects = Annotated[
    list[str] | None, typer.Option("--subject", help="A subject; repeat it, the most telling first.")
]


@app.command("add")
def add(
    title: Annotated[str, typer.Option(help="Its title.")],
    author: Authors = None,
    year: Year = None,
    language: Language = None,
    description: Description = None,
    pages: Pages = None,
    subject: Subjects = None,
    isbn: Annotated[list[str] | None, typer.Option(help="An ISBN of it; repeat it for each edition.")] = None,
    even_if_known: Annotated[
        bool, typer.Option("--even-if-known", help="Though there is a book of that title and first author.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a book."""
    fields = _collect(
        title=title, authors=author, year=year, language=language, description=description, n_pages=pages,
        subjects=subject,
    )  # fmt: skip
    with changing("book_added", title=title) as session:
        book_id = books.add_book(session, fields, isbns=isbn or (), even_if_known=even_if_known)
        book = read_book(session, book_id)
    if as_json:
        print_json(book)
    else:
        say(f"book {book_id} is added: {book.title}")


@app.command("show")
def show(
    book: Annotated[str, typer.Argument(help="Its book_id, or any ISBN of it.")], as_json: AsJson = False
) -> None:
    """Show all that is stored of a book, also of one that readers do not see."""
    with reading() as session:
        book_id = int(book) if book.isdecimal() and find_isbn(book) is None else find_edition(session, book)
        stored = read_book(session, book_id)
    if as_json:
        print_json(stored)
    else:
        _print_book(stored)


@app.command("change")
def change(
    book: Book,
    title: Annotated[str | None, typer.Option(help="Its title.")] = None,
    author: Authors = None,
    year: Year = None,
    language: Language = None,
    description: Description = None,
    pages: Pages = None,
    subject: Subjects = None,
    clear: Annotated[
        list[Clearable] | None, typer.Option(help="Something to leave unknown; may be repeated.")
    ] = None,
) -> None:
    """Change what you name of a book; no import changes it back."""
    fields = _collect(
        title=title, authors=author, year=year, language=language, description=description, n_pages=pages,
        subjects=subject,
    )  # fmt: skip
    fields |= cast("BookFields", dict(map(_clear, clear or ())))
    if not fields:
        raise typer.BadParameter("name at least one thing to change, such as --title")
    with changing("book_changed", book=book, fields=sorted(fields)) as session:
        books.change_book(session, book, fields)
    say(f"book {book} is changed")


@app.command("merge")
def merge(
    book: Book,
    into: Annotated[int, typer.Argument(help="The book that it is an edition of.")],
) -> None:
    """Make a book an edition of another one, which gets its ISBNs and ratings; no import undoes it."""
    with changing("book_merged_by_hand", book=book, heir=into) as session:
        books.merge_book(session, book, into)
    say(f"book {book} is part of book {into} now; `bookmesh books split {book}` undoes it")


@app.command("split")
def split(
    book: Annotated[int, typer.Argument(help="The merged book, as `bookmesh books merges` lists it.")],
) -> None:
    """Undo a merge for good: the book has its editions, ratings and dismissals again."""
    with changing("book_split", book=book) as session:
        heir = books.split_book(session, book)
    say(f"book {book} is no part of book {heir} any more")


@app.command("merges")
def merges(
    limit: Annotated[int, typer.Option(min=1, help="Most of them to list.")] = 50, as_json: AsJson = False
) -> None:
    """List the books that are part of another one by now, those merged last first."""
    with reading() as session:
        rows, n_merges = list_merges(session, limit=limit), count_merges(session)
    if as_json:
        print_json(rows)
        return
    counts = number("editions"), number("ratings")
    print_rows((number("book"), "known as", "title", "part of", "since", *counts), map(_to_cells, rows))
    if len(rows) < n_merges:
        err.print(f"the last {len(rows)} of {n_merges:,}; --limit lists more", highlight=False)


@app.command("withdraw")
def withdraw(book: Book) -> None:
    """Take a book out: its ratings go on to train, but it is shown to nobody."""
    with changing("book_withdrawn", book=book) as session:
        books.withdraw_book(session, book)
    say(f"book {book} is withdrawn; `bookmesh books restore {book}` brings it back")


@app.command("restore")
def restore(book: Book) -> None:
    """Show a withdrawn book again."""
    with changing("book_restored", book=book) as session:
        books.restore_book(session, book)
    say(f"book {book} is shown again")


def _collect(**given: Any) -> BookFields:
    """The options that were given."""
    return cast("BookFields", {name: value for name, value in given.items() if value is not None})


def _clear(field: Clearable) -> tuple[str, Any]:
    if field in (Clearable.AUTHORS, Clearable.SUBJECTS):
        return field.value, []
    return "n_pages" if field is Clearable.PAGES else field.value, None


def _to_cells(row: MergedBookRow) -> tuple[Cell, ...]:
    known_as, heir = f"{row.source} {row.external_id}", f"{row.heir_id} {row.heir_title}"
    since = "-" if row.merged_at is None else f"{datetime.fromtimestamp(row.merged_at, UTC):%Y-%m-%d}"
    return row.book_id, known_as, row.title, heir, since, row.n_editions, row.n_ratings


def _print_book(book: StoredBook) -> None:
    print_fields({
        "book": book.book_id,
        "title": book.title,
        "authors": "; ".join(book.authors),
        "year": book.year,
        "language": book.language,
        "pages": book.n_pages,
        "description": book.description,
        "subjects": "; ".join(book.subjects),
        "ISBNs": " ".join(book.isbns),
        "ratings": f"{book.n_ratings:,}",
        "known as": f"{book.source} {book.external_id}",
        "part of": book.part_of and f"book {book.part_of}",
        "hidden": book.hidden,
        "set by hand": ", ".join(book.settled),
    })  # fmt: skip
