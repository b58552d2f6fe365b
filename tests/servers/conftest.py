"""A published tiny version and the five servers over it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from artifacts.store import ArtifactStore
from contracts.shell import SERVER_NAMES, ServerName
from tests.servers import tiny
from tests.servers.running import serving, settings_for


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    """An empty store in the home folder `tmp_path`."""
    return ArtifactStore(settings_for(tmp_path).artifacts_root)


@pytest.fixture(scope="package")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home folder with one promoted version, and its name: only to be read."""
    home = tmp_path_factory.mktemp("home")
    version = tiny.publish(ArtifactStore(settings_for(home).artifacts_root), home)
    return home, version


@pytest.fixture(scope="package")
def five(published: tuple[Path, str]) -> Iterator[dict[ServerName, httpx.Client]]:
    """Clients of all five servers over `published`: only to be asked."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(name, settings_for(published[0]))) for name in SERVER_NAMES}


@pytest.fixture(params=SERVER_NAMES)
def name(request: pytest.FixtureRequest) -> ServerName:
    """Each server in turn."""
    chosen: ServerName = request.param
    return chosen


@pytest.fixture
def client(five: dict[ServerName, httpx.Client], name: ServerName) -> httpx.Client:
    """A client of each server in turn."""
    return five[name]
