"""Fixtures that every test may ask for."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

pytest_plugins = ["tests.services", "tests.homes", "tests.meshes"]


@pytest.fixture(autouse=True, scope="session")
def unprinted_logs() -> Iterator[None]:
    """Servers in threads outlive the test that started them; their lines belong to no test's output."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """The folder of real data; what asks for it is left out, and says so, where there is none."""
    folder = os.environ.get("BOOKMESH_EVAL_DATA")
    if not folder:
        pytest.skip("BOOKMESH_EVAL_DATA names no folder of evaluation data")
    return Path(folder)


@pytest.fixture(autouse=True)
def logs_of_its_own(unprinted_logs: None) -> Iterator[None]:
    """A test that configures logging, as most commands do, leaves that of the others as it was."""
    root, configuration = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**configuration)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment, without any setting of the developer's own."""
    for name in [name for name in os.environ if name.startswith("BOOKMESH_")]:
        monkeypatch.delenv(name)
    return monkeypatch
