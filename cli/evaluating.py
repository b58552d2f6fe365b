"""The command that measures what is served beside what others would serve."""

from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from catalog.database import open_database
from cli.console import err, number, out
from cli.installation import check_can_train
from cli.progress import step_bars
from telemetry.logs import configure_logging

if TYPE_CHECKING:
    from pipeline.comparing.comparison import Comparison
    from pipeline.evaluation.intervals import Interval


class Protocol(StrEnum):
    """Who is measured, and what is known of them."""

    WARM = "warm"
    FOLD_IN = "fold-in"
    COLD = "cold"
    SIMILAR = "similar"
    TIME = "time"


def evaluate(
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="Who is measured: readers whom models know (warm), readers whom none has seen (fold-in), by "
            "their favourites alone (cold), books like one book (similar), what was read last (time)."
        ),
    ] = Protocol.WARM,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Compare only this one, and others named so; all of the protocol without it."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="What differences are to; EASE, else popularity, without it.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Only readers of this source, as `book-crossing`.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Splits and trainings to take the mean of.")] = 1,
    readers: Annotated[
        int, typer.Option(min=20, help="Readers to measure at most; always the same ones.")
    ] = 3000,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Measure models of fewer readers too; takes longer.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the reports; `reports` of the home without it.")
    ] = None,
) -> None:
    """Measure the lists that training would serve beside what others would serve, on books held out.

    Writes evaluation-PROTOCOL.json, .md and .html with all figures and their 95 % intervals.
    """
    check_can_train()
    from pipeline.compare import Wanted, compare
    from pipeline.comparing.documents import write_documents
    from pipeline.settings import TrainSettings

    settings = TrainSettings()
    configure_logging("evaluate", level="warning" if err.is_terminal else "info")
    wanted = Wanted(
        protocol=protocol.value,
        models=tuple(model or ()),
        baseline=baseline,
        source=source,
        seeds=seeds,
        max_users=readers,
        with_curve=learning_curve,
    )
    with closing(open_database(settings.catalog_url)) as db, step_bars() as bars:
        found = compare(settings, db, wanted, progress=bars)
    written = write_documents(found, output or settings.reports_path)
    _print_models(found)
    err.print("written: " + ", ".join(map(str, written)), highlight=False, soft_wrap=True)


def _print_models(found: "Comparison") -> None:
    recall, ndcg = f"recall@{found.k}", "NDCG@10"
    table = Table(
        "model", number(f"{recall} [95 %]"), number(f"less {found.baseline}'s [95 %]"),
        number(f"× {found.baseline}"), number(f"{ndcg} [95 %]"), number("coverage"),
        title=f"{found.protocol}: {found.n_users:,} {found.unit}, {found.split_id}",
        header_style="bold",
    )  # fmt: skip
    for each in found.models:
        figures = each.figures
        ratio = figures.ratios.get(recall)
        table.add_row(
            each.name,
            _interval(figures.means[recall]),
            _interval(figures.gains[recall], "+"),
            f"{ratio.mean:.2f}" if ratio else "-",
            _interval(figures.means[ndcg]),
            f"{each.coverage:.1%}",
        )
    out.print(table)


def _interval(interval: "Interval", sign: str = "") -> str:
    return f"{interval.mean:{sign}.4f} [{interval.low:{sign}.4f}, {interval.high:{sign}.4f}]"
