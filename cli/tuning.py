"""The command that searches for hyper-parameters."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from catalog.database import open_database
from cli.console import err, number, out
from cli.installation import check_can_train
from cli.progress import step_bars
from telemetry.logs import configure_logging

if TYPE_CHECKING:
    from pipeline.hyperparameters import Hyperparameters


def tune(
    trials: Annotated[
        int, typer.Option(min=1, help="Trials of each kind of evidence, those of earlier runs included.")
    ] = 30,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind of evidence, and others named so.")
    ] = None,
) -> None:
    """Search for the parameters that evidence is fitted by, inside the train fold; training then uses them.

    A search that was stopped goes on where it was. What is found is written, for the source that most ratings
    come from, if the blend of all kinds is the better for it.
    """
    check_can_train()
    from pipeline.hyperparameters import write_parameters
    from pipeline.settings import TrainSettings
    from pipeline.tune import tune as search

    settings = TrainSettings()
    configure_logging("tune", level="warning" if err.is_terminal else "info")
    with closing(open_database(settings.catalog_url)) as db, step_bars() as bars:
        found = search(settings, db, n_trials=trials, kinds=tuple(kind or ()), progress=bars)
    _print_searches(found)
    told = f"recall of the blend on the inner fold: {found.default_blend_recall} → {found.blend_recall}"
    if found.blend_recall <= found.default_blend_recall:
        err.print(f"{told}; nothing is written", highlight=False)
        return
    path = write_parameters(found, settings.tuning_path)
    err.print(f"{told}; written: {path}", highlight=False, soft_wrap=True)


def _print_searches(found: "Hyperparameters") -> None:
    table = Table(
        "kind", number("trials"), number("before"), number("found"), "parameters",
        title=f"{found.source}: recall@30 + NDCG@10 on the inner fold, each kind alone", header_style="bold",
    )  # fmt: skip
    params = found.evidence.model_dump(exclude_unset=True)
    for kind, search in found.searches.items():
        values = ", ".join(f"{name} {value:.4g}" for name, value in params[kind].items())
        table.add_row(kind, str(search.trials), f"{search.default_value:.4f}", f"{search.value:.4f}", values)
    out.print(table)
