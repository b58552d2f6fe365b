"""The processes: whether each is there, or could be, and whether they serve the current version."""

import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from sqlalchemy.exc import SQLAlchemyError

from artifacts.pointer import read_pointer
from catalog.database import Database
from catalog.errors import CatalogError
from catalog.jobs import FINISHED, JobKind, StoredJob, list_jobs
from catalog.tables import JobState
from cli.doctor.finding import AllSettings, Finding, failed, ok, warning
from cli.doctor.services import KEEP_TIME, open_existing
from cli.errors import ListenRefused
from cli.log_files import log_path
from cli.mesh import list_processes
from cli.process_table import ProcessSpec, read_table
from cli.reloading import find_servers
from cli.supervisor import check_port
from contracts.shell import INFO_PATH, READY_PATH, SERVER_NAMES
from foundation.mesh_token import MeshTokenInvalid, build_headers, is_loopback
from foundation.settings import find_variable

TIMEOUT_S: Final = 2.0
DRIFT_S: Final = 10.0
"""The date of an answer is rough, and it may have waited; clocks that nobody keeps differ by more."""
WAITS_S: Final = 600.0
"""A job that is due for so long has no worker."""


def check_mesh_token(settings: AllSettings) -> Iterator[Finding]:
    """Model servers that others reach ask for a token."""
    try:
        token = settings.servers.find_mesh_token()
    except (MeshTokenInvalid, OSError) as error:
        yield failed("mesh token", str(error), "`openssl rand -hex 32` makes one; its file needs mode 0600")
        return
    host = settings.servers.servers.host
    if token is None and not is_loopback(host):
        told = f"model servers would listen on {host} for anybody, so they do not start"
        yield failed("mesh token", told, f"set {find_variable('mesh_token')}")
    else:
        yield ok("mesh token", "set" if token else "not set: model servers listen on this machine alone")


def check_processes(settings: AllSettings) -> Iterator[Finding]:
    """All processes are ready and serve what the pointer names; or none runs, and their ports are free."""
    specs = {spec.name: spec for spec in list_processes()}
    running = {row.name: row.url for row in read_table(settings.catalog.home)}
    urls = {name: spec.url for name, spec in specs.items()} | find_servers() | running
    try:
        headers = build_headers(settings.servers.find_mesh_token())
    except (MeshTokenInvalid, OSError):
        headers = {}
    answers = {name: _ask(name, url, headers) for name, url in urls.items()}
    if not any(isinstance(answer, httpx.Response) for answer in answers.values()):
        yield from _check_ports(specs)
        return
    current = read_pointer(settings.catalog.artifacts_root)
    for name, answer in answers.items():
        log = str(log_path(settings.catalog.home, name))
        yield _judge(name, urls[name], answer, current, log)


def check_jobs(settings: AllSettings) -> Iterator[Finding]:
    """The last training and the last refresh did not fail, and nothing waits for a worker."""
    try:
        with closing(open_existing(settings)) as db:
            yield from _judge_jobs(db) or [ok("jobs", "none has failed, and none waits for long")]
    except (CatalogError, OSError, SQLAlchemyError):
        return  # what is wrong there another check says


def _ask(name: str, url: str, headers: dict[str, str]) -> httpx.Response | str:
    """What a process tells of itself, or why it does not."""
    own = headers if name in SERVER_NAMES else {}
    try:
        with httpx.Client(base_url=url, headers=own, timeout=TIMEOUT_S, trust_env=False) as client:
            info = client.get("/v1/version" if name == "gateway" else INFO_PATH)
            info.extensions["received_at"] = time.time()
            info.extensions["is_ready"] = client.get(READY_PATH).is_success
            return info
    except httpx.HTTPError as error:
        return type(error).__name__


def _judge(name: str, url: str, answer: httpx.Response | str, current: str | None, log: str) -> Finding:
    if isinstance(answer, str):
        return failed(name, f"nobody answers at {url} ({answer})", f"start it; {log} may say why it ended")
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return failed(name, f"{url} does not know our mesh token", "give all machines the same one")
    try:
        info: dict[str, Any] = answer.json()
    except ValueError:
        return failed(name, f"what listens at {url} is no process of ours", "stop it, or set another port")
    version = info.get("version")
    if not answer.extensions["is_ready"]:
        why = info.get("trouble") or info.get("error") or "it loads, or waits for a version"
        return warning(name, f"{url} is not ready: {why}", f"wait a moment, then look into {log}")
    if refusal := info.get("last_reload_error"):
        told = f"{url} stays with {version}: {refusal}"
        return warning(name, told, "`bookmesh versions rollback`, then `bookmesh train`")
    if name != "worker" and version != current:
        told = f"{url} serves {version}, the pointer names {current}"
        return warning(name, told, f"wait a moment, then look into {log}")
    if (drift_s := _measure_drift(answer)) > DRIFT_S:
        return warning(name, f"the clock of {url} is {drift_s:.0f} s from ours", KEEP_TIME)
    return ok(name, f"{url} serves {version}" if version else f"{url} is {info.get('doing', 'ready')}")


def _measure_drift(answer: httpx.Response) -> float:
    date = answer.headers.get("date")
    return abs(parsedate_to_datetime(date).timestamp() - answer.extensions["received_at"]) if date else 0.0


def _check_ports(specs: dict[str, ProcessSpec]) -> Iterator[Finding]:
    taken = False
    for spec in specs.values():
        try:
            check_port(spec)
        except ListenRefused as error:
            taken = True
            yield failed("ports", str(error).partition(";")[0], str(error).partition("; ")[2])
    if not taken:
        ports = ", ".join(str(urlsplit(spec.url).port) for spec in specs.values())
        yield ok("ports", f"no mesh runs, and its ports are free ({ports})")


def _judge_jobs(db: Database) -> list[Finding]:
    found = []
    with db.session() as session:
        for kind in JobKind:
            last = next(iter(list_jobs(session, kind=kind, states=FINISHED, limit=1)), None)
            if last is not None and last.state is JobState.FAILED:
                retry = (
                    f"mend that; it is tried again by itself, now with `bookmesh jobs retry {last.job_id}`"
                )
                found.append(warning("jobs", f"the last {kind} failed: {last.outcome}", retry))
        waiting = [job for job in list_jobs(session, states=[JobState.QUEUED], limit=9) if _waits_long(job)]
    if waiting:
        told = f"{waiting[-1].kind} {waiting[-1].job_id} is due for long, and no worker takes it"
        found.append(
            failed("jobs", told, "`bookmesh status` shows whether there is a worker; train.lock may be held")
        )
    return found


def _waits_long(job: StoredJob) -> bool:
    return job.due_at < time.time() - WAITS_S
