"""The `bookmesh` command: each parses its arguments, calls one function elsewhere, shows the result."""

from collections.abc import Mapping
from typing import ClassVar

import typer

from cli.commands import Commands


class Bookmesh(Commands):
    """Every command, and where it is."""

    places: ClassVar[Mapping[str, str]] = {
        "import": "cli.catalog:import_app",
        "books": "cli.books:app",
        "editions": "cli.editions:app",
        "authors": "cli.authors:app",
        "subjects": "cli.subjects:app",
        "data": "cli.data:app",
        "users": "cli.users:app",
        "keys": "cli.keys:app",
        "versions": "cli.versions:app",
        "gate": "cli.gate:app",
        "jobs": "cli.jobs:app",
        "migrate": "cli.schema:migrate",
        "backup": "cli.backup:backup",
        "restore": "cli.backup:restore",
        "train": "cli.training:train",
        "refresh": "cli.refreshing:refresh",
        "evaluate": "cli.evaluating:evaluate",
        "tune": "cli.tuning:tune",
        "up": "cli.mesh:up",
        "serve": "cli.serve:serve",
        "worker": "cli.worker:worker",
        "status": "cli.mesh:status",
        "doctor": "cli.doctor.command:doctor",
        "notify": "cli.notifying:notify",
        "recommend": "cli.queries:recommend",
        "similar": "cli.queries:similar",
        "search": "cli.queries:search",
    }


app = typer.Typer(name="bookmesh", cls=Bookmesh, no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.callback()
def bookmesh() -> None:
    """A self-hosted book recommender: import, train, serve, ask."""


if __name__ == "__main__":
    app()
