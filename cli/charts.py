"""Bar charts of counts, in blocks that any terminal and any file can show."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.bar import Bar
from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

NAME_WIDTH: Final = 41
NUMBER_WIDTH: Final = 10
BAR_WIDTH: Final = 18
"""With shares, 80 columns at most, wherever it is printed."""


def apart(chart: RenderableType) -> Padding:
    """A chart, with an empty line before it."""
    return Padding(chart, (1, 0, 0, 0))


def open_chart() -> Table:
    """A table whose rows `add_bar` fills."""
    chart = Table.grid(padding=(0, 1))
    chart.add_column(width=NAME_WIDTH)
    chart.add_column(width=NUMBER_WIDTH, justify="right")
    chart.add_column(width=BAR_WIDTH)
    chart.add_column(width=7, justify="right")
    return chart


def add_bar(chart: Table, name: str, n: int, *, of: int, longest: int | None = None, indent: int = 2) -> None:
    """A row: what it is, how many, a bar, and the share; the bar fills its column where n is the longest."""
    bar = Bar(longest or of, 0, n, width=BAR_WIDTH)
    chart.add_row(indented(name, indent), f"{n:,}", bar, _write_share(n, of))


def _write_share(n: int, of: int) -> str:
    """In percent; what is not nothing is not written as nothing, and what is not all not as all."""
    if 0 < n < of / 1_000:
        return "<0.1%"
    if of > n > of - of / 1_000:
        return ">99.9%"
    return f"{n / of:.1%}" if of else ""


def indented(text: str, indent: int = 2, *, style: str = "") -> Padding:
    """A name, whose further lines are as far from the edge as its first."""
    return Padding(Text(text, style), (0, 0, 0, indent))


def draw_counts(title: str, counts: Mapping[str, int], *, of: int | None = None) -> Padding:
    """A chart of counts, the most with the longest bar; shares are of their sum or `of`."""
    chart = open_chart()
    chart.add_row(f"[bold]{escape(title)}")
    n_all = sum(counts.values()) if of is None else of
    longest = max(counts.values(), default=0) if of is None else of
    for name, n in counts.items():
        add_bar(chart, name, n, of=n_all, longest=longest)
    return apart(chart)


def draw_numbers(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[int]]) -> Padding:
    """A table of numbers, a line each name."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=NAME_WIDTH)
    for _ in columns:
        table.add_column(min_width=6, justify="right", no_wrap=True)
    table.add_row(f"[bold]{escape(title)}", *columns)
    for name, numbers in rows.items():
        table.add_row(indented(name), *(f"{n:,}" for n in numbers))
    return apart(table)
