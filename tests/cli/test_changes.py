"""`bookmesh books`, `editions`, `authors` and `subjects`: the documented commands, and how they refuse."""

import json
import re
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.homes import ROOT, Home
from tests.loopback.test_documented_commands import read_commands

PAGE = ROOT / "docs" / "editing.md"
ANSWERS = {
    "books add": "book 689 is added: Orsinia Revisited",
    "books show": "Mira Vance",
    "books change": "book 689 is changed",
    "editions add": "is one of book 689",
    "editions move": "is one of book 5, no longer of book 689",
    "editions remove": "is no longer one of book 5",
    "books merge": "book 689 is part of book 5 now",
    "books merges": "Orsinia Revisited",
    "books split": "book 689 is no part of book 5 any more",
    "books withdraw": "book 689 is withdrawn",
    "books restore": "book 689 is shown again",
    "authors list": "Le Guin|Vance",
    "authors rename": "author 140 is called Ursula Kroeber Le Guin",
    "authors merge": "what author 395 wrote is of author 394 now",
    "subjects list": "Love stories",
    "subjects rename": "subject Politics is called Politics and power",
    "subjects merge": "what was about Love stories is about Families now",
    "subjects withdraw": "subject Classics is withdrawn",
    "subjects restore": "subject Classics may be found again",
}
Run = Callable[..., Result]


@pytest.fixture
def home(imported_home: Home, tmp_path: Path) -> Home:
    """A copy of the demo catalog."""
    return imported_home.copy(tmp_path / "home")


@pytest.fixture
def run(home: Home, environment: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, which takes a tenth of the time of one of its own."""
    environment.setenv("BOOKMESH_HOME", str(home.path))
    return lambda *words: CliRunner().invoke(app, words)


def test_the_documented_commands_do_what_they_say(run: Run) -> None:
    commands = read_commands(PAGE)

    answers = {command: run(*shlex.split(command)) for command in commands}

    for command, done in answers.items():
        assert done.exit_code == 0, (command, done.output)
        assert re.search(ANSWERS[" ".join(command.split()[:2])], done.stdout), command
    assert {" ".join(command.split()[:2]) for command in commands} == ANSWERS.keys()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("books show 99999", "no book 99999"),
        ("books show 9783161484100", "no book has ISBN 9783161484100"),
        ("books change 5 --language English", "language 'English': expected three small letters"),
        ("books add --title 'The Lathe of Heaven' --author 'Ursula Le Guin'", "insist with --even-if-known"),
        ("books merge 5 5", "cannot become a part of itself"),
        ("books restore 5", "book 5 is not withdrawn"),
        ("editions add 123 5", "'123' is not an ISBN: wrong length"),
        ("authors rename 99999 Nobody", "no author 99999"),
        ("subjects merge Oaks Elms", "no subject 'Oaks'"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_in_a_sentence(run: Run, command: str, message: str) -> None:
    done = run(*shlex.split(command))

    assert done.exit_code == 1
    assert message in " ".join(done.stderr.split())


def test_a_change_of_nothing_is_a_wrong_use(run: Run) -> None:
    assert run("books", "change", "5").exit_code == 2


def test_scripts_read_json(run: Run) -> None:
    added = json.loads(run("books", "add", "--title", "Ash", "--json").stdout)
    run("books", "merge", str(added["book_id"]), "5")

    shown = json.loads(run("books", "show", str(added["book_id"]), "--json").stdout)
    [merge] = json.loads(run("books", "merges", "--json").stdout)

    assert (shown["title"], shown["part_of"], shown["settled"]) == ("Ash", 5, ["heir", "title"])
    assert (merge["book_id"], merge["heir_id"]) == (added["book_id"], 5)
    assert json.loads(run("authors", "list", "le guin", "--json").stdout)[0]["name"] == "Ursula K. Le Guin"
    assert {"name", "n_books"} == json.loads(run("subjects", "list", "--json").stdout)[0].keys()


def test_a_list_that_is_cut_off_says_so(run: Run) -> None:
    for book in (5, 6, 7):
        run("books", "merge", str(book), "8")

    done = run("books", "merges", "--limit", "2")

    assert "the last 2 of 3; --limit lists more" in done.stderr


def test_a_change_during_another_one_is_refused_when_it_has_waited(
    home: Home, run: Run, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr("catalog.sqlite.BUSY_TIMEOUT_MS", 200)
    with closing(sqlite3.connect(home.path / "catalog.db")) as other:
        other.execute("BEGIN IMMEDIATE")

        done = run("books", "withdraw", "5")

    assert done.exit_code == 1
    assert "another change holds the catalog; nothing was changed" in " ".join(done.stderr.split())
