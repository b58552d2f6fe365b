"""A host of our own is brought to another release under load, and back from one that does not run."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from cli.own_key import read_headers
from tests.deploy.nginx import running_nginx
from tests.deploy.production import forget_demo_account, settle
from tests.deploy.systemctl import answering_systemctl
from tests.deploy.test_restarts import QUERIES
from tests.deploy.units import SERVICES, UNITS, Host
from tests.homes import ROOT, Home
from tests.loopback.load import Load, has_more, steady_load
from tests.meshes import wait_until
from tests.services import find_binary

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

PATIENCE_S = 300
REPORT = Path(__file__).with_name("deploy.md")
PYTHON = """#!/bin/sh
# Makes an environment that sees the packages of the tests, so that none is fetched.
set -e
test "$1 $2" = "-m venv"
{python} -m venv --without-pip "$3"
echo {packages} > "$(echo "$3"/lib/python3.*/site-packages)/tests.pth"
"""
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}


@dataclass(frozen=True)
class Site:
    """A host, the repository that it gets releases from, and a client of its nginx."""

    host: Host
    repository: Path
    client: httpx.Client
    environment: dict[str, str]

    @property
    def current(self) -> str:
        return (self.host.folder / "opt" / "bookmesh" / "current").resolve().name

    def deploy(self, tag: str) -> subprocess.CompletedProcess[str]:
        words = ["bash", self.repository / "deploy" / "deploy.sh", "localhost", tag]
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False)

    def releases_that_run(self) -> set[str]:
        """The releases whose code is in memory, gunicorn's workers included."""
        lines = [
            " ".join(each.cmdline())
            for process in self.host.processes.values()
            for each in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True))
        ]
        return {found[1] for line in lines if (found := re.search(r"/releases/([^/]+)/", line))}

    def is_whole(self) -> bool:
        response = self.client.get("/v1/health")
        return response.status_code == 200 and response.json()["status"] == "ok"


@pytest.fixture
def site(trained_home: Home, tmp_path: Path) -> Iterator[Site]:
    """A host with the release v1 on it, put there as any other."""
    home = trained_home.copy(tmp_path / "home")
    forget_demo_account(home)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bm_")))
        units, bin_ = folder / "units", folder / "bin"
        units.mkdir()
        bin_.mkdir()
        host = stack.enter_context(closing(Host(folder, home)))
        settle(host)
        with (folder / "etc" / "bookmesh" / "environment").open("a") as file:
            file.write(f"BOOKMESH_WORKER__PORT={host.ports['worker']}\n")
        repository = make_repository(tmp_path / "repository", host)
        host.units = units
        stack.enter_context(answering_systemctl(host, bin_))
        environment = prepare(host, bin_, repository)
        client = stack.enter_context(running_nginx(folder / "nginx", f"unix:{host.gateway_socket}"))
        client.headers.update(read_headers(home.path))
        found = Site(host, repository, client, environment)
        first = found.deploy("v1")
        assert (first.returncode, found.current) == (0, "v1"), first.stdout + first.stderr
        wait_until(found.is_whole, patience_s=PATIENCE_S)
        yield found


def prepare(host: Host, bin_: Path, repository: Path) -> dict[str, str]:
    packages = next(each for each in sys.path if each.endswith("site-packages"))
    python = bin_ / "python3"
    python.write_text(PYTHON.format(python=sys.executable, packages=packages))
    python.chmod(0o755)
    return {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "BOOKMESH_REPOSITORY": f"file://{repository}",
        "BOOKMESH_ROOT": f"{host.folder}/opt/bookmesh",
        "BOOKMESH_UNITS": f"{host.folder}/units",
        "BOOKMESH_SETTINGS": f"{host.folder}/etc/bookmesh/environment",
        **OFFLINE,
    }


def make_repository(folder: Path, host: Host) -> Path:
    """With the host's paths in its units: v1, v2, a v3 that does not run, a v4 that cannot migrate."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in names.stdout.rstrip("\0").split("\0"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not name.startswith("tests/"):
            target.write_bytes((ROOT / name).read_bytes())
    for file in (folder / UNITS.relative_to(ROOT)).rglob("*.*"):
        if file.is_file():
            file.write_text(place(host, file.read_text()))
    git(folder, "init", "--quiet")
    commit(folder, "v1")
    change(folder / "gateway" / "app.py", 'title="bookmesh"', 'title="bookmesh, the second"')
    commit(folder, "v2")
    change(
        folder / "servers" / "als" / "app.py",
        "SERVER = ",
        'raise RuntimeError("broken on purpose")\nSERVER = ',
    )
    commit(folder, "v3")
    change(folder / "cli" / "schema.py", '"""', 'raise RuntimeError("broken on purpose")\n"""')
    commit(folder, "v4")
    return folder


def place(host: Host, text: str) -> str:
    """Ports and paths of the host; the program is that of the release."""
    text = text.replace("/opt/bookmesh", f"{host.folder}/opt/bookmesh")
    return host.place(text)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def commit(folder: Path, tag: str) -> None:
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", tag)
    git(folder, "tag", tag)


def git(folder: Path, *words: str) -> None:
    subprocess.run([find_binary("git", package="git"), "-C", folder, *words], check=True)


def check_served(load: Load) -> None:
    assert [(each.query.path, each.status, each.body) for each in load.failures] == []
    assert len(load.versions) == 1


def test_a_release_comes_and_one_that_does_not_run_goes_again_under_load(site: Site) -> None:
    assert site.releases_that_run() == {"v1"}

    with steady_load(site.client, QUERIES, per_second=10, timeout_s=PATIENCE_S) as load:
        good = site.deploy("v2")
        wait_until(has_more(load, 10), patience_s=PATIENCE_S)
        wait_until(site.is_whole, patience_s=PATIENCE_S)
        title = site.client.get("/openapi.json").json()["info"]["title"]
        after_good = site.current, site.releases_that_run()
        bad = site.deploy("v3")
        wait_until(has_more(load, 10), patience_s=PATIENCE_S)
        wait_until(site.is_whole, patience_s=PATIENCE_S)
        after_bad = site.current, site.releases_that_run()
        unmigrated = site.deploy("v4")

    assert good.returncode == 0, good.stdout + good.stderr
    assert after_good == ("v2", {"v2"})
    assert title == "bookmesh, the second"
    assert bad.returncode == 1
    assert "bookmesh-server@als does not run with v3; going back to v2" in bad.stdout
    assert after_bad == ("v2", {"v2"})
    assert unmigrated.returncode == 1
    assert "the catalog could not be migrated; going back to v2" in unmigrated.stdout
    assert (site.current, site.releases_that_run()) == ("v2", {"v2"})
    assert set(site.host.processes) == {*SERVICES, "bookmesh-worker.service"}
    check_served(load)
    write_report(
        load,
        {"v2, which is good": good, "v3, which does not run": bad, "v4, which cannot migrate": unmigrated},
    )


def write_report(load: Load, told: Mapping[str, subprocess.CompletedProcess[str]]) -> None:
    """What deploy.sh said, and what came of the requests meanwhile."""
    parts = [f"## {what}\n\n```\n{done.stdout.strip()}\n```\n" for what, done in told.items()]
    counts = (
        f"{len(load.outcomes)} requests, {len(load.failures)} failed, {sum(load.degraded.values())} degraded"
    )
    lines = [
        "# Releases that come and go under load",
        "",
        f"Written by `make test-long`. {counts}.",
        "",
        *parts,
    ]
    REPORT.write_text("\n".join(lines))


def test_a_release_that_is_no_tag_changes_nothing(site: Site) -> None:
    done = site.deploy("v99")

    assert done.returncode != 0
    assert (site.current, site.releases_that_run()) == ("v1", {"v1"})
    assert site.is_whole()
