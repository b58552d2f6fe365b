"""`bookmesh migrate`, and what other commands say of a schema that is not theirs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from tests.homes import Home
from tests.upgrades.releases import unpack_catalog


@pytest.fixture
def old_home(tmp_path: Path) -> Home:
    """A home with the catalog of 0.2.0."""
    unpack_catalog("0.2.0", tmp_path)
    return Home(tmp_path)


def migrate(home: Home, *options: str) -> Result:
    """`bookmesh migrate` in this process, which saves the seconds of a start."""
    return CliRunner(env={"BOOKMESH_HOME": str(home.path)}).invoke(app, ["migrate", *options])


def test_check_tells_what_is_pending_and_changes_nothing(old_home: Home) -> None:
    before = (old_home.path / "catalog.db").read_bytes()

    checked = migrate(old_home, "--check")

    assert checked.exit_code == 3
    assert "pending 0002: An identity of the catalog" in checked.stdout
    assert (old_home.path / "catalog.db").read_bytes() == before


def test_a_migrated_catalog_has_nothing_pending(old_home: Home) -> None:
    migrated = migrate(old_home)

    assert migrated.exit_code == 0
    assert "applied 0002: An identity of the catalog" in migrated.stdout
    for options in (["--check"], ["--sql"], []):
        again = migrate(old_home, *options)
        assert (again.exit_code, again.stdout) == (0, "")


def test_the_printed_sql_does_what_the_command_does(old_home: Home) -> None:
    with closing(sqlite3.connect(old_home.path / "catalog.db")) as catalog:
        catalog.executescript(migrate(old_home, "--sql").stdout)

    assert migrate(old_home, "--check").exit_code == 0


@pytest.mark.parametrize("words", ["up", "train", "import demo"])
def test_an_outdated_schema_says_so_and_never_advises_an_import(old_home: Home, words: str) -> None:
    message = old_home.fail(*words.split())

    assert "is at schema 0001" in message
    assert "`bookmesh migrate`" in message
    assert "bookmesh import" not in message
