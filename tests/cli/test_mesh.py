"""What `bookmesh up` passes to the processes that it starts."""

import pytest

from cli.mesh import list_processes
from gateway.settings import GatewaySettings


@pytest.mark.parametrize("url", ["BOOKMESH_ALS_URL", "BOOKMESH_GATEWAY__MESH__URLS__ALS"])
def test_the_gateway_calls_the_servers_that_were_started_with_it(
    url: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BOOKMESH_SERVERS__PORTS__ALS", "9000")
    environment.setenv(url, "http://10.0.0.7:8103")

    *_, gateway = list_processes()

    for name, value in gateway.environment.items():
        environment.setenv(name, value)
    assert GatewaySettings().gateway.mesh.server_urls()["als"] == "http://127.0.0.1:9000"


@pytest.mark.parametrize("has_worker", [True, False])
def test_a_mesh_has_a_worker_unless_another_machine_has_it(
    has_worker: bool, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BOOKMESH_WORKER__WITH_MESH", str(has_worker))

    names = [spec.name for spec in list_processes()]

    assert ("worker" in names) == has_worker
    assert names[-1] == "gateway"
