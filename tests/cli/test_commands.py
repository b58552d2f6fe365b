"""How commands end: a wrong setting, a machine that refuses and a mistake of ours are told apart."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from cli import log_files, versions
from cli.main import app
from foundation.settings import ProcessSettings
from gateway.settings import GatewaySettings
from pipeline.settings import TrainSettings
from servers.shell.settings import ServerSettings
from tests.homes import Home
from tests.test_repository import SETTINGS, variables
from worker.settings import WorkerSettings

COMMANDS: dict[type[ProcessSettings], list[str]] = {
    GatewaySettings: ["up", "status", "recommend 1", "similar 1", "search war"],
    ServerSettings: ["up"],
    TrainSettings: ["train", "evaluate", "tune"],
    WorkerSettings: ["up", "status", "worker", "serve worker", "train --if-due"],
}
"""Those that read these settings, but for `serve`, which becomes another program."""
NAMES = sorted({name for each in SETTINGS for name, _ in variables(each)} - {"BOOKMESH_HOME"})
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
WRONG = st.sampled_from(
    ["nonsense", "-1", "0", "1e999", "nan", "true", "[]", "{}", '{"a": {}}', "1,5", " ", "http://"]
)


@settings(max_examples=40)
@given(name=st.sampled_from(NAMES), value=st.one_of(WRONG, TEXT))
@example("BOOKMESH_GATEWAY", "nonsense")
@example("BOOKMESH_SERVERS", '{"ports": {"als": "nonsense"}}')
@example("BOOKMESH_TRAIN__EVIDENCE__ALS__N_FACTOR", "64")
def test_a_wrong_setting_ends_every_command_that_reads_it_in_one_line(name: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(name, value)
        words = [word for each, words in COMMANDS.items() if not is_accepted(each) for word in words]
        assume(words)
        ended = [CliRunner().invoke(app, each.split()) for each in words]

    for done in ended:
        assert (done.exit_code, done.output.strip().count("\n")) == (2, 0), done.output
        assert re.search(r"error: BOOKMESH_\w+: .*; docs/settings.md explains each setting", done.output)
        assert name in done.output


@pytest.mark.parametrize(("name", "setting"), [("gateway", "BOOKMESH_GATEWAY"), ("als", "BOOKMESH_SERVERS")])
def test_so_it_does_a_process_that_serves(empty_home: Home, name: str, setting: str) -> None:
    message = empty_home.fail("serve", name, code=2, **{setting: "nonsense"})

    assert message.strip().count("\n") == 0
    assert re.search(rf"error: {setting}: .*; docs/settings.md explains each setting", message)


def is_accepted(each: type[ProcessSettings]) -> bool:
    try:
        each()
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "error",
    [
        KeyError("split"),
        ZeroDivisionError("division by zero"),
        FileNotFoundError(2, "No such file or directory", "/nowhere/words.txt"),
        ConnectionResetError(104, "Connection reset by peer"),
        IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_nobody_foresaw_is_called_that_and_leaves_its_traceback(
    error: Exception, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    done = fail_with(error, tmp_path, environment)

    log = tmp_path / "logs" / "bookmesh.log"
    assert (done.exit_code, done.output.strip().count("\n")) == (70, 0), done.output
    assert f"unexpected {type(error).__name__}" in done.output.replace("sqlalchemy.exc.", "")
    assert "please report it" in done.output
    assert str(log) in done.output
    assert "Traceback (most recent call last)" in log.read_text()
    assert "in list_versions" in log.read_text()


def test_without_a_home_that_can_be_written_to_the_traceback_is_printed(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").touch()

    done = fail_with(KeyError("split"), tmp_path / "home", environment)

    assert done.exit_code == 70
    assert "in list_versions" in done.output
    assert done.output.strip().endswith("with the traceback above")


@pytest.mark.parametrize("number", [13, 28, 30], ids=["no right", "disk full", "read-only"])
def test_what_the_machine_refuses_is_the_operators_matter(
    number: int, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    done = fail_with(OSError(number, "refused", "/elsewhere/file"), tmp_path, environment)

    assert done.exit_code == 1
    assert "/elsewhere/file" in done.output
    assert not (tmp_path / "logs").exists()


def fail_with(error: Exception, home: Path, environment: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """What `versions list` prints if our own code raises this."""

    def fail() -> None:
        raise error

    environment.setenv("BOOKMESH_HOME", str(home))
    environment.setattr(versions, "open_store", fail)
    return CliRunner().invoke(app, ["versions", "list"])


def spoil(path: Path) -> None:
    path.write_bytes(b"no database at all " * 100)


def rename_a_column(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE users RENAME COLUMN external_id TO outer_id")
    connection.close()


@pytest.mark.parametrize(("change", "code"), [(spoil, 1), (rename_a_column, 70)])
def test_a_database_that_fails_is_told_from_a_statement_that_does(
    change: Callable[[Path], None], code: int, imported_home: Home, tmp_path: Path
) -> None:
    home = imported_home.copy(tmp_path / "home")
    change(home.path / "catalog.db")

    message = home.fail("users", "find", "--source", "demo", "--external-id", "1", code=code)

    assert message.startswith("error: the database cannot be used" if code == 1 else "error: unexpected")


def test_a_full_log_is_kept_a_few_times_and_goes_on_empty(tmp_path: Path) -> None:
    log = tmp_path / "als.log"
    with log.open("ab", buffering=0) as writer:
        for number in range(6):
            writer.write(bytes([48 + number]) * log_files.MAX_BYTES)
            log_files.rotate(log)
        writer.write(b"last")

    assert log.read_bytes() == b"last"
    assert [path.read_bytes()[:1] for path in sorted(tmp_path.glob("als.log.*"))] == [b"5", b"4", b"3"]
    assert len(list(tmp_path.iterdir())) == 1 + log_files.N_KEPT
