"""What the API tells of the version that answers."""

from pathlib import Path

import httpx

from tests.gateway import running
from tests.servers.tiny import CHECK, N


def test_the_model_is_described(shared: httpx.Client, version: str) -> None:
    response = shared.get("/v1/model")
    model = response.json()

    assert response.headers["X-Artifact-Version"] == model["version"] == version
    assert (model["passed"], model["metrics"], model["params"]) == (True, {}, {})
    assert model["checks"] == [CHECK.model_dump(mode="json")]
    assert model["counts"] == {"books": N, "rated_books": N, "subjects": 2}
    assert model["created_at"].startswith(f"{version[:4]}-{version[4:6]}-{version[6:8]}T")


def test_any_server_can_describe_it(home: Path, urls: dict[str, str], version: str) -> None:
    with running.gateway(running.settings_for(home, {"semantic": urls["semantic"]})) as client:
        assert client.get("/v1/model").json()["version"] == version


def test_without_any_server_nobody_can(home: Path) -> None:
    with running.gateway(running.settings_for(home, {})) as client:
        response = client.get("/v1/model")

    assert (response.status_code, response.json()["code"]) == (503, "upstream_failed")
