"""Model servers on a network ask for the mesh token, and gateways send it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from artifacts.store import ArtifactStore
from cli.probes import probe
from cli.process_table import ProcessRow
from cli.reloading import signal_servers
from contracts.shell import INFO_PATH, LIVE_PATH, METRICS_PATH, READY_PATH, RELOAD_PATH
from foundation.mesh_token import MeshTokenInvalid, build_headers, find_mesh_token
from servers.shell.serve import build_app, find_server
from tests.gateway import running
from tests.servers import tiny
from tests.servers.requests import REQUESTS
from tests.servers.running import serving, settings_for, wait_until

TOKEN = "the token of the mesh of the tests"


@pytest.fixture
def client(tmp_path: Path, store: ArtifactStore) -> Iterator[httpx.Client]:
    """A server that asks for a token, and a client that has none."""
    tiny.publish(store, tmp_path)
    settings = settings_for(tmp_path).model_copy(update={"mesh_token": SecretStr(TOKEN)})
    with serving("metadata", settings) as client:
        yield client


@pytest.mark.parametrize("path", [INFO_PATH, *REQUESTS["metadata"], RELOAD_PATH])
@pytest.mark.parametrize("sent", [None, "Bearer another", f"Bearer {TOKEN}x", TOKEN, "Bearer", "Bearer ü"])
def test_nobody_is_answered_without_the_token(client: httpx.Client, path: str, sent: str | None) -> None:
    headers = {} if sent is None else {"Authorization": sent.encode("latin-1")}

    answer = client.request("GET" if path == INFO_PATH else "POST", path, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", [LIVE_PATH, READY_PATH, METRICS_PATH])
def test_probes_and_metrics_need_no_token(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_who_brings_the_token_is_answered(client: httpx.Client) -> None:
    assert client.get(INFO_PATH, headers=build_headers(TOKEN)).status_code == 200


def test_a_gateway_sends_the_token(client: httpx.Client, tmp_path: Path) -> None:
    home = running.build_home(tmp_path)
    settings = running.settings_for(home, {"metadata": str(client.base_url)})

    with running.gateway(settings) as without:
        wait_until(lambda: "401" in str(without.get("/v1/health").json()["servers"]["metadata"]["error"]))
    with running.gateway(settings.model_copy(update={"mesh_token": SecretStr(TOKEN)})) as gateway:
        wait_until(lambda: bool(gateway.get("/v1/health").json()["servers"]["metadata"]["live"]))
        assert gateway.get("/v1/books/popular").json()["degraded"] == []


def test_commands_send_the_token(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(client.base_url)
    monkeypatch.setenv("BOOKMESH_MESH_TOKEN", TOKEN)

    signal_servers({"metadata": url})

    assert capsys.readouterr().err == ""
    assert probe(ProcessRow("metadata", 0, url), TOKEN).state == "ready"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "books.example.org"])
def test_a_server_on_a_network_does_not_start_without_a_token(tmp_path: Path, host: str) -> None:
    with pytest.raises(MeshTokenInvalid, match=r"set BOOKMESH_MESH_TOKEN"):
        build_app(find_server("metadata"), settings_for(tmp_path, host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_no_token_is_needed(tmp_path: Path, host: str) -> None:
    build_app(find_server("metadata"), settings_for(tmp_path, host=host))


def test_the_token_may_be_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "mesh"
    file.parent.mkdir()
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)

    assert find_mesh_token(None, tmp_path) == TOKEN
    assert find_mesh_token(SecretStr("of the settings"), tmp_path) == "of the settings"
    file.chmod(0o640)
    with pytest.raises(MeshTokenInvalid, match="chmod 600"):
        find_mesh_token(None, tmp_path)


@pytest.mark.parametrize("text", ["", "short", "x" * 40 + "\ny", "ü" * 40])
def test_a_file_that_holds_no_token_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secrets" / "mesh"
    file.parent.mkdir()
    file.write_text(text)
    file.chmod(0o600)

    with pytest.raises(MeshTokenInvalid, match="holds no token"):
        find_mesh_token(None, tmp_path)
