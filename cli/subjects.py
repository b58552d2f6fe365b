"""Commands on subjects: list, rename, merge, withdraw, restore."""

from typing import Annotated

import typer

from catalog.editing import subjects
from catalog.subjects import list_subjects
from cli.changes import AsJson, changing, print_json, reading, say
from cli.console import number
from cli.tables import print_rows

app = typer.Typer(help="List, rename, merge and withdraw subjects.", no_args_is_help=True)

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="Its name, in any case.")]


@app.command("list")
def list_(
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="Those that were withdrawn.")] = False,
    as_json: AsJson = False,
) -> None:
    """List subjects, those of most books first and the generic ones last."""
    with reading() as session:
        rows = subjects.list_withdrawn(session) if withdrawn else list_subjects(session)
    if as_json:
        print_json(rows)
    else:
        print_rows(("subject", number("books")), ((row.name, f"{row.n_books:,}") for row in rows))


@app.command("rename")
def rename(subject: Subject, name: Annotated[str, typer.Argument(help="Its name from now on.")]) -> None:
    """Give a subject another name, also in later imports."""
    with changing("subject_renamed", subject=subject, name=name) as session:
        subjects.rename_subject(session, subject, name)
    say(f"subject {subject} is called {name}")


@app.command("merge")
def merge(subject: Subject, into: Annotated[str, typer.Argument(help="The one that stays.")]) -> None:
    """Make two subjects one, also in later imports."""
    with changing("subjects_merged", subject=subject, into=into) as session:
        subjects.merge_subjects(session, subject, into)
    say(f"what was about {subject} is about {into} now")


@app.command("withdraw")
def withdraw(subject: Subject) -> None:
    """Take a subject from all books, also in later imports."""
    with changing("subject_withdrawn", subject=subject) as session:
        subjects.withdraw_subject(session, subject)
    say(f"subject {subject} is withdrawn; after `bookmesh subjects restore` imports find it again")


@app.command("restore")
def restore(subject: Subject) -> None:
    """Let imports find a withdrawn subject again; the next of each source does."""
    with changing("subject_restored", subject=subject) as session:
        subjects.restore_subject(session, subject)
    say(f"subject {subject} may be found again: import its sources anew")
