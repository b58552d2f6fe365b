"""The `bookmesh` command: each parses its arguments, calls one function elsewhere, shows the result."""

import typer

from cli import (
    authors,
    backup,
    books,
    catalog,
    data,
    editions,
    jobs,
    keys,
    mesh,
    notifying,
    queries,
    refreshing,
    schema,
    serve,
    subjects,
    training,
    users,
    versions,
    worker,
)
from cli.commands import Commands
from cli.doctor.command import doctor

app = typer.Typer(
    name="bookmesh",
    cls=Commands,
    help="A self-hosted book recommender: import, train, serve, ask.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(catalog.import_app, name="import", help="Fill the catalog from a dump.")
app.add_typer(books.app, name="books", help="Add, show, change, merge, split and withdraw books.")
app.add_typer(editions.app, name="editions", help="Say which book an ISBN is one of.")
app.add_typer(authors.app, name="authors", help="List, rename and merge authors.")
app.add_typer(subjects.app, name="subjects", help="List, rename, merge and withdraw subjects.")
app.add_typer(data.app, name="data", help="Look at the catalog as a whole, and write it out.")
app.add_typer(users.app, name="users", help="Look readers up, let them claim accounts, make admins.")
app.add_typer(keys.app, name="keys", help="Give services keys to the API, list them, revoke them.")
app.add_typer(versions.app, name="versions", help="List, inspect, promote, roll back and collect versions.")
app.add_typer(
    jobs.app, name="jobs", help="List what the worker does and did; cancel it, or have it done again."
)
app.command("migrate")(schema.migrate)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("train")(training.train)
app.command("refresh")(refreshing.refresh)
app.command("evaluate")(training.evaluate)
app.command("up")(mesh.up)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("status")(mesh.status)
app.command("doctor")(doctor)
app.command("notify")(notifying.notify)
app.command("recommend")(queries.recommend)
app.command("similar")(queries.similar)
app.command("search")(queries.search)


if __name__ == "__main__":
    app()
