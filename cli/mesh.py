"""Commands that run the whole mesh and look at it: up, status."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import typer
from rich.table import Table

from catalog.database import check_migrated, open_database
from catalog.errors import CatalogError
from cli.console import err, failing_clearly, out
from cli.supervisor import PortInUse, ProcessRow, ProcessSpec, Supervisor, read_table, stop_on_signals
from contracts.shell import INFO_PATH, READY_PATH, SERVER_NAMES
from gateway.settings import GatewaySettings
from servers.shell.settings import ServerSettings

READY_TIMEOUT_S = 120.0
ASK_TIMEOUT_S = 2.0
LOG_LINES = 8
MIB = 2**20


def up() -> None:
    """Start the five model servers and the gateway; Ctrl-C stops all of them."""
    specs = _process_specs()
    settings = GatewaySettings()
    supervisor = Supervisor(specs, home=settings.home, say=_say)
    stop_on_signals(supervisor)
    started_s = time.monotonic()
    with failing_clearly(CatalogError, PortInUse):
        _check_catalog(settings)
        supervisor.start()
    try:
        if not _wait_until_ready(supervisor, specs, settings.home):
            raise typer.Exit(1)
        if not supervisor.stopping:
            _print_welcome(specs[-1].url, time.monotonic() - started_s)
        supervisor.run()
    finally:
        supervisor.stop()


def status() -> None:
    """Show each process of this machine's mesh: version, readiness, memory."""
    rows = read_table(GatewaySettings().home) or [
        ProcessRow(spec.name, 0, spec.url) for spec in _process_specs()
    ]
    # Six columns of these widths fill a terminal of 80; the address is this machine's in every row.
    table = Table(header_style="bold", title="Processes on 127.0.0.1")
    for column in ("process", "port", "pid", "state", "version", "memory"):
        table.add_column(column, no_wrap=True, justify="right" if column == "memory" else "left")
    total_bytes, all_ready = 0, True
    for row in rows:
        state, version, n_held, pid = _probe(row)
        pss_bytes = _pss_bytes(pid)
        total_bytes += pss_bytes or 0
        all_ready &= state == "ready"
        colour = {"ready": "green", "loading": "yellow"}.get(state, "red")
        memory = f"{pss_bytes / MIB:.0f} MiB" if pss_bytes else "-"
        table.add_row(
            row.name,
            str(httpx.URL(row.url).port),
            str(pid or "-"),
            f"[{colour}]{state}[/]",
            f"{version or '-'}{f' +{n_held - 1}' if n_held > 1 else ''}",
            memory,
        )
    table.caption = (
        f"{total_bytes / MIB:.0f} MiB together (PSS); +n: older versions that a server still holds"
    )
    out.print(table)
    if not all_ready:
        raise typer.Exit(1)


def _process_specs() -> list[ProcessSpec]:
    """The five servers, then the gateway, told where they are."""
    own, servers = GatewaySettings(), ServerSettings().servers
    shared = {"BOOKMESH_HOME": str(own.home.resolve())}
    specs = [ProcessSpec(name, "127.0.0.1", servers.port(name), shared) for name in SERVER_NAMES]
    urls = {f"BOOKMESH_GATEWAY__MESH__URLS__{spec.name.upper()}": spec.url for spec in specs}
    return [*specs, ProcessSpec("gateway", own.gateway.host, own.gateway.port, {**shared, **urls})]


def _say(message: str) -> None:
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def _check_catalog(settings: GatewaySettings) -> None:
    db = open_database(settings.catalog_url)
    try:
        check_migrated(db)
    finally:
        db.close()


def _wait_until_ready(supervisor: Supervisor, specs: list[ProcessSpec], home: Path) -> bool:
    """Wait until all processes are ready or time runs out; False, the reason printed, if one gives up."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    waiting = specs
    with err.status("starting the mesh") as spinner, httpx.Client(timeout=ASK_TIMEOUT_S) as client:
        while waiting and time.monotonic() < deadline_s and not supervisor.stopping:
            if given_up := supervisor.gave_up():
                _report_failures(given_up, home)
                return False
            supervisor.restart_dead()
            waiting = [spec for spec in waiting if not _is_ready(client, spec.url)]
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
        log = home / "logs" / f"{name}.log"
        err.print(f"[bold red]error:[/] {name} cannot start; the end of {log}:", highlight=False)
        for line in log.read_text(errors="replace").splitlines()[-LOG_LINES:]:
            _say(f"  {_last_words(line)}")


def _last_words(line: str) -> str:
    """The event of a JSON log line; of one with a traceback, the error that ends it."""
    try:
        event = str(json.loads(line)["event"])
    except (ValueError, TypeError, KeyError):
        return line
    return event.strip().rpartition("\n")[2]


def _is_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url + READY_PATH).is_success
    except httpx.TransportError:
        return False


def _print_welcome(url: str, seconds: float) -> None:
    out.print(
        f"[bold green]bookmesh is up[/] at {url} after {seconds:.1f} s, API page {url}/docs. Ctrl-C stops it."
    )
    out.print("Try:", highlight=False)
    for line in (
        f"curl '{url}/v1/users/1/recommendations?k=5'",
        f"curl '{url}/v1/search?q=pride+prejudise&k=3'",
        f"curl '{url}/v1/books/1/similar?mode=hybrid&k=5'",
    ):
        out.print(f"  {line}", highlight=False, soft_wrap=True)


def _probe(row: ProcessRow) -> tuple[str, str | None, int, int | None]:
    """State, version, number of held versions and pid of one process."""
    try:
        with httpx.Client(base_url=row.url, timeout=ASK_TIMEOUT_S) as client:
            ready = client.get(READY_PATH).is_success
            info: dict[str, Any] = client.get("/v1/version" if row.name == "gateway" else INFO_PATH).json()
    except (httpx.HTTPError, ValueError):
        return "down", None, 0, row.pid or None
    state = "ready" if ready else "loading"
    return state, info.get("version"), len(info.get("held", ())), info.get("pid", row.pid)


def _pss_bytes(pid: int | None) -> int | None:
    """Proportional set size: shared pages are divided among the processes that share them."""
    if not pid:
        return None
    try:
        memory = psutil.Process(pid).memory_full_info()
    except psutil.Error:
        return None
    # macOS has no PSS; USS is the nearest that it tells.
    return int(getattr(memory, "pss", memory.uss))
