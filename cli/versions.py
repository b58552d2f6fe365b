"""Commands on the versions in the artifact store: list, show, promote, rollback, gc."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from cli import moving
from cli.console import number, out
from cli.moving import open_store
from cli.operator import read_operator

app = typer.Typer(help="List, inspect, promote, roll back and collect versions.", no_args_is_help=True)
Version = Annotated[str, typer.Argument(help="A version's name, as `bookmesh versions list` shows it.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept in the log of promotions.")]
MIB = 2**20


@app.command("list")
def list_versions() -> None:
    """List all versions, newest first; the current one is marked, a refresh names what it refreshes."""
    store = open_store()
    current, manifests = store.current(), store.manifests()
    table = Table(header_style="bold")
    # A version's name dates it, so it never folds; in 80 columns its split and recall do, and nothing is cut.
    for column in ("", "version", "gate", "split"):
        table.add_column(column, no_wrap=column != "split", overflow="fold")
    table.add_column("recall@30", justify="right")
    table.add_column("size", justify="right", no_wrap=True)
    for manifest in manifests:
        table.add_row(
            "→" if manifest.version == current else "",
            manifest.version,
            "[green]passed[/]" if manifest.gate.passed else "[red]refused[/]",
            f"refresh of {manifest.refresh_of}" if manifest.refresh_of else manifest.split_id,
            _recall(manifest),
            f"{sum(entry.bytes for entry in manifest.objects) / MIB:.1f} MiB",
        )
    out.print(table)
    for version in sorted(set(store.versions()) - {manifest.version for manifest in manifests}):
        _tell_unreadable(store, version)


@app.command("show")
def show(version: Version) -> None:
    """Show one version: where it comes from, what the gate said, its objects."""
    manifest = open_store().manifest(version)
    out.print_json(manifest.model_dump_json(exclude={"objects"}))
    table = Table("object", "owner", "format", "shape", "digest", number("bytes"), header_style="bold")
    for entry in manifest.objects:
        shape = "×".join(str(side) for side in entry.shape) if entry.shape else ""
        table.add_row(entry.name, entry.owner, entry.format, shape, entry.digest[:12], f"{entry.bytes:,}")
    out.print(table)


@app.command("promote")
def promote(
    version: Version,
    why: Why = "promoted by hand",
    force: Annotated[bool, typer.Option("--force", help="Also a version that the gate refused.")] = False,
) -> None:
    """Move the pointer to a version, after checking every object of it."""
    moving.promote(version, by=read_operator(), why=why, force=force)
    out.print(f"current: {version}")


@app.command("rollback")
def rollback(why: Why = "rolled back by hand") -> None:
    """Move the pointer back to the trained version before the current one, and to its books."""
    manifest = moving.roll_back(by=read_operator(), why=why)
    out.print(f"current: {manifest.version}")


@app.command("gc")
def gc(keep: Annotated[int, typer.Option(min=1, help="Trained versions that stay.")] = 3) -> None:
    """Remove old versions and the objects that nothing refers to; what a server holds stays."""
    report = open_store().gc(keep=keep)
    kept, removed = ", ".join(report.kept_versions), ", ".join(report.removed_versions)
    out.print(f"kept: {kept or 'none'}\nremoved: {removed or 'none'}", highlight=False, soft_wrap=True)
    out.print(f"{report.n_removed_objects} objects, {report.freed_bytes / MIB:.1f} MiB freed")


def _tell_unreadable(store: ArtifactStore, version: str) -> None:
    try:
        store.manifest(version)
    except ArtifactError as error:
        out.print(f"[yellow]warning:[/] {escape(str(error))}", highlight=False, soft_wrap=True)


def _recall(manifest: Manifest) -> str:
    match manifest.metrics.get("recall@30"):
        case {"mean": float(mean), "low": float(low), "high": float(high)}:
            return f"{mean:.4f} [{low:.4f}, {high:.4f}]"
        case _:
            return "-"
