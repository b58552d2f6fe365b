"""The release before, as a program."""

from pathlib import Path

import pytest

from tests.upgrades.releases import OLD, unpack_release


@pytest.fixture(scope="session")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release before as it was released: a folder from which `python -m cli.main` runs it."""
    return unpack_release(OLD, tmp_path_factory.mktemp(OLD))
