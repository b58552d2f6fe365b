"""Fixtures that every test may ask for."""

from collections.abc import Iterator

import pytest
import structlog

pytest_plugins = ["tests.services", "tests.homes", "tests.meshes"]


@pytest.fixture(autouse=True, scope="session")
def unprinted_logs() -> Iterator[None]:
    """Servers in threads outlive the test that started them; their lines belong to no test's output."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()
