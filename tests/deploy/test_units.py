"""The units of systemd are whole, and let the services do little."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from contracts.shell import DEFAULT_PORTS, SERVER_NAMES
from tests.deploy.units import UNITS, read_unit
from tests.services import find_binary

INSTANCES = {
    "bookmesh-server@": "bookmesh-server@als",
    "bookmesh-notify@": "bookmesh-notify@some.service",
    "bookmesh-migrate@": "bookmesh-migrate@v1.2",
}
MOST_EXPOSED = 20
"""In tenths, of 100: systemd calls up to 2.0 "safe" or "OK"; a service without hardening has 9.6."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Our units, with a program at the place that they name."""
    program = tmp_path / "bookmesh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_text(re.sub(r"/opt/bookmesh/\S+/bin/bookmesh", str(program), file.read_text()))
    return folder


def analyze(units: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = find_binary("systemd-analyze", package="systemd")
    environment = {"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [program, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_systemd_finds_nothing_wrong(units: Path) -> None:
    names = [
        INSTANCES.get(file.stem, file.stem) + file.suffix for file in units.glob("*.*") if file.is_file()
    ]

    found = analyze(units, "verify", "--man=no", *names)

    assert (found.returncode, found.stderr) == (0, "")


def test_systemd_counts_every_service_as_little_exposed(units: Path) -> None:
    services = [INSTANCES.get(file.stem, file.stem) for file in units.glob("*.service")]

    found = {
        name: analyze(
            units, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", f"{units}/{name}.service"
        )
        for name in services
    }

    assert len(services) == 6
    assert {name: each.stdout[-200:] for name, each in found.items() if each.returncode} == {}


def test_every_server_has_a_socket_at_its_port() -> None:
    for name in SERVER_NAMES:
        listen = dict(read_unit(f"bookmesh-server@{name}.socket")["Socket"])["ListenStream"]

        assert listen == f"127.0.0.1:{DEFAULT_PORTS[name]}"


def test_the_target_brings_up_all_that_there_is() -> None:
    wanted = {
        name
        for key, value in read_unit("bookmesh.target")["Unit"]
        if key == "Wants"
        for name in value.split()
    }
    servers = {f"bookmesh-server@{name}.service" for name in SERVER_NAMES}

    assert wanted == servers | {"bookmesh-gateway.service", "bookmesh-worker.service", "bookmesh-train.timer"}


def test_a_night_that_was_missed_is_made_up_for_and_machines_do_not_train_at_once() -> None:
    timer = dict(read_unit("bookmesh-train.timer")["Timer"])

    assert (timer["Persistent"], timer["RandomizedDelaySec"]) == ("true", "30min")
    next_time = analyze(UNITS, "calendar", timer["OnCalendar"])
    assert next_time.returncode == 0, next_time.stderr


def test_whatever_fails_is_told() -> None:
    for name in ("gateway", "server@als", "worker", "train"):
        assert ("OnFailure", "bookmesh-notify@%n.service") in read_unit(f"bookmesh-{name}.service")["Unit"]
