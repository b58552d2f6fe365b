"""What the gateway does beside its requests goes on, whatever error nobody foresaw."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from contracts.shell import SERVER_NAMES
from gateway.mesh.server import Server
from tests.gateway import running
from tests.servers.running import wait_until


def test_an_unforeseen_error_in_the_background_is_logged_counted_and_survived(
    urls: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, polled, apps = Server.refresh, list[Server](), list[FastAPI]()

    async def fail_first(server: Server, *arguments: Any) -> None:
        polled.append(server)
        if polled.count(server) == 1:
            raise ZeroDivisionError("unforeseen")
        await fetch(server, *arguments)

    with running.gateway(running.settings_for(home, urls), apps.append) as client, capture_logs() as logs:
        monkeypatch.setattr(Server, "refresh", fail_first)  # of other tests' gateways too
        servers = apps[0].state.services.mesh.servers.values()

        wait_until(lambda: min(map(polled.count, servers)) > 1)

        metrics = client.get("/metrics").text
    tasks = {f"poll {name}" for name in SERVER_NAMES}
    for task in tasks:
        assert f'bookmesh_background_failures_total{{process="gateway",task="{task}"}} 1.0' in metrics
    assert tasks <= {line["task"] for line in logs if line.get("error") == "unforeseen"}
