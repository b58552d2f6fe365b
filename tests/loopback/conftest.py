"""A mesh that tests may harm: each leaves it whole again."""

from collections.abc import Iterator

import pytest

from gateway.settings import LimitOptions
from tests.homes import Home
from tests.meshes import Mesh, running_mesh, wait_until

QUICK_AND_UNCACHED = {
    "BOOKMESH_GATEWAY__CACHE__RESPONSE_BYTES": "1",
    "BOOKMESH_GATEWAY__CACHE__CARDS": "1",
    "BOOKMESH_SERVERS__POINTER_POLL_S": "0.1",
    "BOOKMESH_GATEWAY__MESH__POLL_INTERVAL_S": "0.1",
    "BOOKMESH_SERVERS__LOAD_RETRY_S": "0.5",
    **{f"BOOKMESH_GATEWAY__LIMITS__{name.upper()}": "1000000" for name in LimitOptions.model_fields},
}
"""Every answer is made anew, so that none hides what happens to the servers; all requests come from here."""


@pytest.fixture(scope="package")
def harmed_mesh(trained_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    home = trained_home.copy(tmp_path_factory.mktemp("frail") / "home")
    with running_mesh(home, **QUICK_AND_UNCACHED) as running:
        yield running


@pytest.fixture
def frail_mesh(harmed_mesh: Mesh) -> Mesh:
    """A mesh of its own settings for faults; whole at the beginning of each test."""
    wait_until(harmed_mesh.is_whole)
    return harmed_mesh
