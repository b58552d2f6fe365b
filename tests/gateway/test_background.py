"""What the gateway does beside its requests goes on, whatever error nobody foresaw."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts.shell import SERVER_NAMES
from gateway.mesh.server import Server
from tests.gateway import running
from tests.servers.running import wait_until


def test_an_unforeseen_error_in_the_background_is_logged_counted_and_survived(
    urls: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, polled = Server.refresh, list[str]()

    async def fail_first(server: Server, *arguments: Any) -> None:
        polled.append(server.name)
        if polled.count(server.name) == 1:
            raise ZeroDivisionError("unforeseen")
        await fetch(server, *arguments)

    with running.gateway(running.settings_for(home, urls)) as client, capture_logs() as logs:
        monkeypatch.setattr(Server, "refresh", fail_first)

        wait_until(lambda: min(map(polled.count, SERVER_NAMES)) > 1)

        for name in SERVER_NAMES:
            counted = f'bookmesh_background_failures_total{{process="gateway",task="poll {name}"}} 1.0'
            assert counted in client.get("/metrics").text
    assert {line["task"] for line in logs if line.get("error") == "unforeseen"} == {
        f"poll {name}" for name in SERVER_NAMES
    }
