"""A machine that our units and nginx serve from, with two workers of each process."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from catalog import accounts, personal
from catalog.accounts import DEMO_EMAIL
from catalog.database import open_database
from cli.own_key import keep_key, read_headers
from contracts.shell import SERVER_NAMES
from tests.deploy.nginx import running_nginx
from tests.deploy.units import SERVICES, Host
from tests.homes import ROOT, Home
from tests.meshes import wait_until

SECRETS = """
BOOKMESH_GATEWAY__ACCOUNTS__SECRET=a secret of the tests that is long enough
BOOKMESH_GATEWAY__DEADLINE_S=10
BOOKMESH_MAIL__SMTP_URL=smtp://127.0.0.1:9
BOOKMESH_MAIL__SENDER=books@example.org
BOOKMESH_SERVERS__GUNICORN_WORKERS=2
"""


@dataclass(frozen=True)
class Production:
    """A machine of ours and a client of its nginx, whose requests are those of a service."""

    host: Host
    client: httpx.Client

    def is_whole(self) -> bool:
        """Whether the gateway knows all servers to be live and to hold one version."""
        response = self.client.get("/v1/health")
        return response.status_code == 200 and response.json()["status"] == "ok"

    @property
    def pids(self) -> dict[str, int]:
        """Of gunicorn's own process of each service."""
        return {name: process.pid for name, process in self.host.processes.items()}

    def find_workers(self, service: str) -> set[int]:
        return {each.pid for each in psutil.Process(self.pids[service]).children()}


@contextmanager
def running_production(home: Home, **settings: str) -> Iterator[Production]:
    """Gateway and servers by their units, behind nginx, on this home."""
    forget_demo_account(home)
    # A path of pytest's would be too long for a Unix socket.
    with tempfile.TemporaryDirectory(prefix="bm_") as name, closing(Host(Path(name), home)) as host:
        settle(host, "".join(f"\n{name}={value}" for name, value in settings.items()))
        host.start(*SERVICES)
        with running_nginx(host.folder / "nginx", f"unix:{host.gateway_socket}") as client:
            client.headers.update(read_headers(home.path))
            running = Production(host, client)
            wait_until(running.is_whole, patience_s=120)
            yield running


def forget_demo_account(home: Home) -> None:
    """Production refuses to serve with it; the services' key is what `bookmesh up` would have made."""
    with closing(open_database(f"sqlite:///{home.path}/catalog.db")) as db:
        with db.session(write=True) as session:
            account = accounts.find_by_email(session, DEMO_EMAIL)
            assert account is not None
            personal.erase(session, account.user_id)
        keep_key(db, home.path)


def settle(host: Host, more: str = "") -> None:
    """Our environment file where an operator puts it, with the secrets of the tests."""
    etc = host.folder / "etc" / "bookmesh"
    etc.mkdir(parents=True)
    urls = [
        f"BOOKMESH_GATEWAY__MESH__URLS__{name.upper()}=http://127.0.0.1:{host.ports[name]}"
        for name in SERVER_NAMES
    ]
    shutil.copy(ROOT / "deploy" / "environment", etc)
    (etc / "secrets").write_text(SECRETS + "\n".join(urls) + more)
