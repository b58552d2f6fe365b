"""Shows what an import did."""

from datetime import datetime

from rich.markup import escape

from catalog.importing.report import ImportReport
from catalog.sources.row_log import FileReport
from cli.charts import add_bar, apart, draw_numbers, indented, open_chart
from cli.console import out


def print_report(report: ImportReport) -> None:
    """Print what became of every row, and of the catalog."""
    started = f"{datetime.fromisoformat(report.started_at):%Y-%m-%d %H:%M} UTC"
    out.print(
        f"[bold]Import of {escape(report.source)}[/], {started}, {report.seconds:.1f} s", highlight=False
    )
    for file in report.files:
        _print_file(file)
    changes = {kind: (each.new, each.changed, each.unchanged) for kind, each in report.changes.items()}
    out.print(draw_numbers("in the catalog", ("new", "changed", "unchanged"), changes))
    out.print(draw_numbers("after it", ("rows",), {name: (n,) for name, n in report.totals.items()}))
    if report.repairs:
        out.print(draw_numbers("mended", ("values",), {name: (n,) for name, n in report.repairs.items()}))


def _print_file(file: FileReport) -> None:
    chart = open_chart()
    chart.add_row(f"[bold]{escape(file.name)}", f"{file.n_read:,}", "rows read")
    add_bar(chart, "kept", file.n_kept, of=file.n_read)
    add_bar(chart, "dropped", file.n_read - file.n_kept, of=file.n_read)
    out.print(apart(chart))
    for reason, n in file.dropped.items():
        chart = open_chart()
        add_bar(chart, reason, n, of=file.n_read, indent=4)
        out.print(chart)
        if lines := file.lines.get(reason):
            out.print(indented(_name_lines(lines, n), 6, style="dim"))


def _name_lines(lines: list[int], n: int) -> str:
    word, more = ("line" if n == 1 else "lines"), ", …" if n > len(lines) else ""
    return f"{word} {', '.join(map(str, lines))}{more}"
