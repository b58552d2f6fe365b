"""A catalog in a folder of the test's own, where a worker may be made to do anything."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.database import Database
from tests.empty_catalogs import open_empty_catalog
from worker.settings import WorkerSettings


@pytest.fixture
def settings(tmp_path: Path, environment: pytest.MonkeyPatch) -> WorkerSettings:
    """Those of a home in the folder of the test."""
    return WorkerSettings(home=tmp_path)


@pytest.fixture
def db(settings: WorkerSettings) -> Iterator[Database]:
    """The home's catalog, empty."""
    with closing(open_empty_catalog(settings.home / "catalog.db")) as database:
        yield database
