import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from artifacts.store import ArtifactStore
from contracts.shell import SERVER_NAMES, ServerName
from tests.servers import tiny
from tests.servers.requests import REQUESTS
from tests.servers.running import wait_until
from tests.services import free_port

RUN = """
from servers.shell.serve import run_server
from servers.shell.settings import ServerSettings
run_server("embedder", ServerSettings())
"""
TRAINING_LIBRARIES = ("torch", "sklearn", "implicit", "sqlalchemy", "fastapi", "lightgbm")
PROJECT = Path(__file__).parents[3]


@pytest.mark.loopback
def test_a_server_process_answers_and_ends_in_order_on_sigterm(tmp_path: Path, store: ArtifactStore) -> None:
    version = tiny.publish(store, tmp_path)
    port = free_port()
    settings = {"BOOKMESH_HOME": str(tmp_path), "BOOKMESH_SERVERS__PORTS__EMBEDDER": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=PROJECT,
        env={**os.environ, **settings},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/health/ready"))
        assert httpx.post(f"{url}/embed", json=REQUESTS["embedder"]["/embed"]).json()["version"] == version
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)

    assert process.returncode == 0
    assert all(line.startswith("{") for line in log.splitlines()), log
    assert '"process":"embedder"' in log
    assert not list((store.root / "leases").glob("*.json"))


@pytest.mark.loopback
@pytest.mark.parametrize("name", SERVER_NAMES)
def test_a_server_imports_no_training_library_no_sql_and_no_other_server(name: ServerName) -> None:
    others = ["sqlalchemy", *(f"servers.{other}.model" for other in SERVER_NAMES if other != name)]
    script = (
        f"import sys, cli.serve; from servers.shell.serve import find_server; find_server('{name}');"
        f"print([each for each in {[*TRAINING_LIBRARIES, *others]} if each in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
