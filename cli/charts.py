"""Bar charts of counts, in blocks that any terminal and any file can show."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.bar import Bar
from rich.markup import escape
from rich.table import Table

NAME_WIDTH: Final = 34
BAR_WIDTH: Final = 22


def open_chart() -> Table:
    """A table whose rows `add_bar` fills; 80 columns wide at most."""
    chart = Table.grid(padding=(0, 1))
    chart.add_column(width=NAME_WIDTH, no_wrap=True)
    chart.add_column(width=10, justify="right")
    chart.add_column(width=BAR_WIDTH)
    chart.add_column(width=7, justify="right")
    return chart


def add_bar(chart: Table, name: str, n: int, *, of: int, longest: int | None = None) -> None:
    """A row: what it is, how many, a bar, and the share; the bar fills its column where n is the longest."""
    share = f"{n / of:.1%}" if of else ""
    chart.add_row(f"  {escape(name)}", f"{n:,}", Bar(longest or of, 0, n, width=BAR_WIDTH), share)


def draw_counts(title: str, counts: Mapping[str, int], *, of: int | None = None) -> Table:
    """A chart of counts, the most with the longest bar; shares are of their sum or `of`."""
    chart = open_chart()
    chart.add_row(f"[bold]{escape(title)}")
    n_all = sum(counts.values()) if of is None else of
    longest = max(counts.values(), default=0) if of is None else of
    for name, n in counts.items():
        add_bar(chart, name, n, of=n_all, longest=longest)
    return chart


def draw_numbers(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[int]]) -> Table:
    """A table of numbers, a line each name."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=NAME_WIDTH, no_wrap=True)
    for _ in columns:
        table.add_column(width=8, justify="right")
    table.add_row(f"[bold]{escape(title)}", *columns)
    for name, numbers in rows.items():
        table.add_row(f"  {escape(name)}", *(f"{n:,}" for n in numbers))
    return table
