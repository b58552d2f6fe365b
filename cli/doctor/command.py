"""The command that looks at everything: doctor."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from catalog.database import open_database
from catalog.errors import CatalogError
from cli.commands import explain
from cli.console import out
from cli.doctor import disk, mesh, services, versions
from cli.doctor.finding import AllSettings, Check, Finding, Level, failed, ok, warning
from gateway.errors import UnsafeSettings
from gateway.production import check_production
from gateway.settings import GatewaySettings
from notifications.settings import NotifySettings
from pipeline.settings import TrainSettings
from servers.shell.settings import ServerSettings
from worker.settings import WorkerSettings

COLORS: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check settings, disk, database, versions, processes and all else; exit with code 1 if any fails."""
    findings = list(examine())
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            _print(finding)
    if any(finding.level is Level.FAILED for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """All findings; where settings are wrong, that alone, since all else depends on them."""
    try:
        settings = AllSettings(
            GatewaySettings(), ServerSettings(), WorkerSettings(), TrainSettings(), NotifySettings()
        )
    except ValidationError as error:
        yield failed(
            "settings", explain(error)[0], "set it right where the service gets its environment from"
        )
        return
    if not settings.catalog.home.is_dir():  # to look further would make one
        yield from disk.check_home(settings)
        return
    for check in CHECKS:
        yield from _run(check, settings)


def _check_settings(settings: AllSettings) -> Iterator[Finding]:
    """They are of the right types, by now, and safe for whom they serve."""
    if not settings.catalog.production:
        yield ok("settings", "all are valid; not for production, so defaults for one machine are allowed")
        return
    try:
        with closing(open_database(settings.catalog.catalog_url)) as db:
            check_production(settings.gateway, db)
    except UnsafeSettings as error:
        for name, remedy in error.remedies.items():
            yield failed("settings", f"{name} is unsafe for production", remedy)
    except (CatalogError, SQLAlchemyError):
        yield warning(
            "settings", "whether they are safe is not known without the database", "mend that first"
        )
    else:
        yield ok("settings", "all are valid, and safe for production")


def _run(check: Check, settings: AllSettings) -> list[Finding]:
    """What a check finds; if it fails itself, that."""
    try:
        return list(check(settings))
    except Exception as error:  # noqa: BLE001  (the others shall be made all the same)
        message, _ = explain(error)
        return [failed(check.__name__.removeprefix("check_"), message, "see the message")]


def _print(finding: Finding) -> None:
    mark = f"[{COLORS[finding.level]}]{finding.level:<8}[/]"
    remedy = f"\n{'':23}→ {finding.remedy}" if finding.remedy else ""
    line = f"{mark} {finding.check:<13} {escape(finding.message)}{escape(remedy)}"
    out.print(line, highlight=False, soft_wrap=True)


CHECKS: Final[tuple[Check, ...]] = (
    _check_settings,
    disk.check_home,
    disk.check_secrets,
    disk.check_disk,
    services.check_database,
    services.check_clock,
    services.check_redis,
    services.check_mail,
    services.check_notifications,
    versions.check_versions,
    versions.check_training,
    mesh.check_mesh_token,
    mesh.check_processes,
    mesh.check_jobs,
)
