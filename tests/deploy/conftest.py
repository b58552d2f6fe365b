"""Fixtures: one machine that our units and nginx serve from, for all tests that leave it serving."""

from collections.abc import Iterator

import pytest

from tests.deploy.production import Production, running_production
from tests.homes import Home


@pytest.fixture(scope="package")
def production(trained_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Gateway and servers by their units, each with two workers, behind nginx."""
    home = trained_home.copy(tmp_path_factory.mktemp("production") / "home")
    with running_production(home) as running:
        yield running
