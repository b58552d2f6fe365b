"""How well rows of exports find their books: precision and recall on the labelled set, by kind of row.

    python -m tests.bench.library_matching
    python -m tests.bench.library_matching --mistakes

The figures are those of the half that nothing was tuned on; `--mistakes` lists what went wrong in the other.
"""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from catalog.database import open_database
from catalog.importing import import_source
from catalog.schema import migrate
from tests.catalog.library.labelled import (
    NONE,
    Verdicts,
    add_up,
    judge,
    list_books,
    match_labelled,
    read_rows,
)


def main(mistakes: Annotated[bool, typer.Option(help="List those of the other half.")] = False) -> None:
    """Print precision and recall."""
    rows = [row for row in read_rows() if row.is_reported != mistakes]
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(open_database(f"sqlite:///{Path(folder) / 'catalog.db'}")) as db,
    ):
        migrate(db)
        import_source(db, list_books())
        with db.session() as session:
            matched = match_labelled(session, rows)
            verdicts = judge(session, matched)
            if mistakes:
                for row, match in matched:
                    if match.is_sure != (row.book != NONE) or judge(session, [(row, match)])[row.kind].wrong:
                        print(row.kind, row.title, *row.authors, *match.guesses, sep=" | ")
    _print({**verdicts, "all": add_up(verdicts.values())})


def _print(verdicts: dict[str, Verdicts]) -> None:
    table = Table("kind", "right", "wrong", "missed", "none of them", "precision", "recall")
    for kind, each in verdicts.items():
        recall = f"{each.recall:.3f}" if each.right + each.missed else ""
        counts = (each.right, each.wrong, each.missed, each.none)
        table.add_row(kind, *map(str, counts), f"{each.precision:.3f}" if each.right else "", recall)
    Console(width=110).print(table)


if __name__ == "__main__":
    typer.run(main)
