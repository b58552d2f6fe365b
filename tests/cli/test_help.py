"""Every command explains itself."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
import typer.main
from typer.testing import CliRunner

from cli.main import app

COMMANDS = {
    "authors list", "authors merge", "authors rename", "backup", "books add", "books change", "books merge",
    "books merges", "books restore", "books show", "books split", "books withdraw", "data export",
    "data report", "editions add", "editions move", "editions remove", "evaluate", "gate history",
    "import book-crossing", "import csv", "import demo", "import export", "import goodbooks",
    "import movielens", "jobs cancel", "jobs list", "jobs retry", "jobs show", "keys create",
    "keys list", "keys revoke",
    "doctor", "migrate", "notify", "recommend", "refresh", "restore", "search", "serve", "similar", "status",
    "subjects list", "subjects merge", "subjects rename", "subjects restore", "subjects withdraw", "train",
    "tune", "up", "users claim-link", "users create-admin", "users delete", "users demote", "users find",
    "users promote",
    "versions gc", "versions list", "versions promote", "versions rollback", "versions show", "worker",
}  # fmt: skip


def list_commands(
    command: click.Command, arguments: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield arguments, command
    for name, each in getattr(command, "commands", {}).items():
        yield from list_commands(each, (*arguments, name))


TREE = dict(list_commands(typer.main.get_command(app)))


def test_these_are_the_commands() -> None:
    assert {
        " ".join(arguments) for arguments, each in TREE.items() if not hasattr(each, "commands")
    } == COMMANDS


@pytest.mark.parametrize("arguments", TREE, ids=" ".join)
def test_help_explains_a_command_and_each_of_its_arguments(arguments: tuple[str, ...]) -> None:
    command = TREE[arguments]

    shown = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments, "--help"])

    assert shown.exit_code == 0
    assert command.help
    assert command.help.splitlines()[0][:40] in shown.output
    assert [each.name for each in command.params if not getattr(each, "help", None)] == []


def test_no_command_waits_for_what_only_others_need() -> None:
    script = "import sys; from typer.testing import CliRunner; from cli.main import app\n"
    script += "CliRunner().invoke(app, ['import', 'csv', '--help']); print(*sys.modules)"

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert {"cli.catalog", "faiss", "redis", "cli.mesh"} & set(run.stdout.split()) == {"cli.catalog"}


@pytest.mark.parametrize(
    "arguments", [("fly",), ("versions", "fly"), ("serve", "kettle"), ("recommend", "me")]
)
def test_arguments_that_make_no_command_end_with_code_2(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, [*arguments]).exit_code == 2


@pytest.mark.parametrize("name", ["BOOKMESH_PORT", "BOOKMESH_GATEWAY__PORT"])
def test_a_setting_that_makes_no_sense_is_named_as_it_was_set(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "harbour")

    done = CliRunner().invoke(app, ["status"])

    assert done.exit_code == 2
    assert f"{name}: " in done.output


@pytest.mark.parametrize("name", ["BOOKMESH_CATALOG__DATABSE_URL", "BOOKMESH_CATALOG"])
def test_a_password_under_a_wrong_name_is_not_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "mysql+pymysql://me:secret@db/bookmesh")

    done = CliRunner().invoke(app, ["status"])

    assert done.exit_code == 2
    assert f"{name}: " in done.output
    assert "secret" not in done.output
