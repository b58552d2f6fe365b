"""Commands that run the whole mesh and look at it: up, status."""

import json
import signal
import time
from contextlib import closing
from pathlib import Path
from shlex import quote

import httpx
import typer
from rich.markup import escape
from rich.table import Table

from catalog.accounts import DEMO_EMAIL
from catalog.database import open_database
from catalog.schema import check_migrated
from cli.console import err, out
from cli.demo_account import password_path
from cli.log_files import log_path
from cli.own_key import keep_key, key_path
from cli.probes import TIMEOUT_S, is_ready, probe
from cli.process_table import ProcessRow, ProcessSpec, read_table
from cli.supervisor import Supervisor
from contracts.shell import SERVER_NAMES
from gateway.production import check_production
from gateway.settings import GatewaySettings
from servers.shell.settings import ServerSettings
from worker.settings import WorkerSettings

READY_TIMEOUT_S = 120.0
LOG_LINES = 8
COLORS = {"ready": "green", "loading": "yellow", "down": "red"}
MIB = 2**20


def up() -> None:
    """Start the five model servers, the worker and the gateway; Ctrl-C stops all of them."""
    specs = list_processes()
    settings = GatewaySettings()
    with closing(open_database(settings.catalog_url)) as db:
        check_migrated(db)
        check_production(settings, db)
        keep_key(db, settings.home)
    supervisor = Supervisor(specs, home=settings.home, report=_print_line)
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C, a service manager
        signal.signal(number, supervisor.request_stop)
    started_s = time.monotonic()
    try:
        supervisor.start()
        if not _wait_until_ready(supervisor, specs, settings.home):
            raise typer.Exit(1)
        if not supervisor.stopping:
            _print_welcome(specs[-1].url, settings.home, time.monotonic() - started_s)
        supervisor.run()
    finally:
        supervisor.stop()


def status() -> None:
    """Show each process of this machine's mesh: version, readiness, memory."""
    rows = read_table(GatewaySettings().home) or [
        ProcessRow(spec.name, 0, spec.url) for spec in list_processes()
    ]
    # Six columns of these widths fill a terminal of 80; the hosts are in the settings.
    table = Table(header_style="bold", title="Processes of this mesh")
    for column in ("process", "port", "pid", "state", "version", "memory"):
        table.add_column(column, no_wrap=True, justify="right" if column == "memory" else "left")
    token = GatewaySettings().find_mesh_token()
    probed = [probe(row, token) for row in rows]
    for row, process in zip(rows, probed, strict=True):
        table.add_row(
            row.name,
            str(httpx.URL(row.url).port),
            str(process.pid or "-"),
            f"[{COLORS[process.state]}]{process.state}[/]",
            f"{process.version or '-'}{f' +{process.n_held - 1}' if process.n_held > 1 else ''}",
            f"{process.pss_bytes / MIB:.0f} MiB" if process.pss_bytes else "-",
        )
    total_bytes = sum(process.pss_bytes or 0 for process in probed)
    table.caption = (
        f"{total_bytes / MIB:.0f} MiB together (PSS); +n: older versions that a server still holds"
    )
    out.print(table)
    for row, process in zip(rows, probed, strict=True):
        if process.refusal:
            told = (
                f"{row.name} refuses the current version, so all stay with the one before: {process.refusal}"
            )
            out.print(f"[yellow]warning:[/] {escape(told)}", highlight=False, soft_wrap=True)
    if any(process.state != "ready" for process in probed):
        raise typer.Exit(1)


def list_processes() -> list[ProcessSpec]:
    """The five servers and the worker, then the gateway with the servers' addresses."""
    own, servers, worker = GatewaySettings(), ServerSettings().servers, WorkerSettings().worker
    shared = {"BOOKMESH_HOME": str(own.home.resolve())}
    specs = [ProcessSpec(name, servers.host, servers.port(name), shared) for name in SERVER_NAMES]
    urls = {f"BOOKMESH_GATEWAY__MESH__URLS__{spec.name.upper()}": spec.url for spec in specs}
    if worker.with_mesh:
        specs.append(ProcessSpec("worker", worker.host, worker.port, shared))
    return [*specs, ProcessSpec("gateway", own.gateway.host, own.gateway.port, {**shared, **urls})]


def _print_line(message: str) -> None:
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def _wait_until_ready(supervisor: Supervisor, specs: list[ProcessSpec], home: Path) -> bool:
    """Wait until all processes are ready or time runs out; False, the reason printed, if one gives up."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    waiting = specs
    with err.status("starting the mesh") as spinner, httpx.Client(timeout=TIMEOUT_S) as client:
        while waiting and time.monotonic() < deadline_s and not supervisor.stopping:
            if given_up := supervisor.gave_up():
                _report_failures(given_up, home)
                return False
            supervisor.tend()
            waiting = [spec for spec in waiting if not is_ready(client, spec.url)]
            spinner.update(f"starting the mesh, waiting for {', '.join(spec.name for spec in waiting)}")
            time.sleep(0.1)
    if waiting and not supervisor.stopping:
        names = ", ".join(spec.name for spec in waiting)
        err.print(
            f"[yellow]not ready after {READY_TIMEOUT_S:.0f} s:[/] {names}; "
            "without a trained version servers wait (run `bookmesh train`). The mesh goes on trying: "
            f"`bookmesh status` shows where it is, {home / 'logs'} says why."
        )
    return True


def _report_failures(names: list[str], home: Path) -> None:
    for name in names:
        log = log_path(home, name)
        err.print(f"[bold red]error:[/] {name} cannot start; the end of {log}:", highlight=False)
        for line in log.read_text(errors="replace").splitlines()[-LOG_LINES:]:
            _print_line(f"  {_last_message(line)}")


def _last_message(line: str) -> str:
    """The event of a JSON log line; if it ends with a traceback, the error."""
    try:
        event = str(json.loads(line)["event"])
    except (ValueError, TypeError, KeyError):
        return line
    return event.strip().rpartition("\n")[2]


def _print_welcome(url: str, home: Path, seconds: float) -> None:
    out.print(
        f"[bold green]bookmesh is up[/] at {url} after {seconds:.1f} s, API page {url}/docs. Ctrl-C stops it."
    )
    out.print("Try:", highlight=False)
    for line in (
        # curl reads the header with the key from the file: what a shell is told, `ps` shows to everybody.
        f"curl -H @{quote(str(key_path(home)))} '{url}/v1/users/1/recommendations?k=5'",
        f"curl '{url}/v1/search?q=pride+prejudise&k=3'",
        f"curl '{url}/v1/books/1/similar?mode=hybrid&k=5'",
    ):
        out.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if (password := password_path(home)).exists():
        out.print(f"Log in as {DEMO_EMAIL}: its password is in {password}", highlight=False, soft_wrap=True)
