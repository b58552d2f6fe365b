"""Tables of rows, and of all that is known of one thing, as every command on the catalog prints them."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Column, Table
from rich.text import Text

from cli.console import out

Cell = Text | str | int | None
"""Printed as it is, and not at all where there is none."""


def print_rows(columns: Sequence[Column | str], rows: Iterable[Sequence[Cell]], *, title: str = "") -> None:
    """Print a line, or more in a narrow terminal, for each row; nothing is cut."""
    table = Table(*columns, title=title or None, header_style="bold")
    for row in rows:
        table.add_row(*map(_to_text, row))
    out.print(table)


def print_fields(fields: Mapping[str, Cell]) -> None:
    """Print what is known of one thing, a line each."""
    table = Table(show_header=False)
    for name, value in fields.items():
        if value not in (None, ""):
            table.add_row(name, _to_text(value))
    out.print(table)


def _to_text(cell: Cell) -> Text:
    text = cell if isinstance(cell, Text) else Text("" if cell is None else str(cell))
    text.overflow = "fold"
    return text
