"""The five real servers over the tiny version, and a gateway before them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from artifacts.store import ArtifactStore
from contracts.shell import SERVER_NAMES
from tests.gateway import running
from tests.servers import running as servers
from tests.servers import tiny


@pytest.fixture(scope="package")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The version that five running servers hold, and their addresses: only to be read."""
    home = tmp_path_factory.mktemp("mesh")
    version = tiny.publish(ArtifactStore(servers.settings_for(home).artifacts_root), home)
    with ExitStack() as stack:
        clients = {
            name: stack.enter_context(servers.serving(name, servers.settings_for(home)))
            for name in SERVER_NAMES
        }
        yield version, {name: str(client.base_url) for name, client in clients.items()}


@pytest.fixture(scope="package")
def version(mesh: tuple[str, dict[str, str]]) -> str:
    """The version that the servers hold."""
    return mesh[0]


@pytest.fixture(scope="package")
def urls(mesh: tuple[str, dict[str, str]]) -> dict[str, str]:
    """Addresses of the servers, by name."""
    return mesh[1]


@pytest.fixture(scope="package")
def shared(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A gateway over all five servers: only to be read."""
    home = running.build_home(tmp_path_factory.mktemp("catalog"))
    with running.gateway(running.settings_for(home, urls)) as client:
        yield client


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with a filled catalog of this test's own."""
    return running.build_home(tmp_path)
