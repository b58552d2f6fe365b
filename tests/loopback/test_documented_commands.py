"""What the documents tell people to type: each command works, and what it finds first is what it asks for."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.homes import ROOT, Home
from tests.meshes import Mesh, running_mesh, wait_until

pytestmark = pytest.mark.loopback

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ON_DEMO = {
    "recommend 1": ".+",
    'search "c s lewis"': "C. S. Lewis",
    'search "an orphan boy at a school of magic" --semantic': "Harry Potter and the Philosopher's Stone",
    "status": "embedder .* ready",
    "versions list": "passed",
}
"""What the first row of the answer must show, as a pattern."""
ON_BOOK_CROSSING = {
    "recommend USER_ID": ".+",
    "similar 0440234743": "John Grisham",
    'search "survivors of the Holocaust" --semantic': "All But My Life|I Have Lived a Thousand Years",
}
QUICKLY_TRAINED = {
    "BOOKMESH_TRAIN__EVIDENCE__EASE__N_BOOKS": "3000",
    "BOOKMESH_TRAIN__NEWCOMERS__MAX_READERS": "1000",
    "BOOKMESH_TRAIN__RANKER__N_TREES": "0",
    "BOOKMESH_TRAIN__GATE__MAX_USERS": "1000",
}
MADE_BY_FIXTURES = {
    "import book-crossing path/to/book-crossing --open-library path/to/open-library",
    "users find --source book-crossing --external-id 276747",
    "train",
    "up",
}
"""They make the meshes that the others are run on; and the reader."""
TESTED_ELSEWHERE = {
    "make setup",
    "make run",
    "make test",
    "make bench",
    "make bench BENCH='--books 250000'",
    "make bench BENCH='--home .bookmesh --output /tmp/x'",
    "make bench BENCH='--before ../bookmesh-0.7.0'",
    "export BOOKMESH_HOME=bx",
    'versions rollback --why "complaints about list quality"',
    'curl -X POST http://127.0.0.1:8000/v1/me/import -H "Authorization: Bearer TOKEN" \\',
}
"""test_setup follows the Makefile, long/test_bench measures, every home of a test is set so, test_restarts
rolls back, and the gateway's tests bring libraries."""
COMMAND = re.compile(r"^ *(?:(?:\.venv/bin/)?bookmesh |(?=make |export \w+=|curl |pip ))(.+?)(?:\s+#.*)?$")
CURL = re.compile(r"^ *(curl .+)$", re.MULTILINE)
FIRST_AT = {"/v1/search": "Pride and Prejudice"}


def read_commands(document: Path) -> list[str]:
    """Every command of a document's code blocks, without its comment; ours without `bookmesh`."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", document.read_text(), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).splitlines()
    return [found[1] for line in lines if (found := COMMAND.match(line))]


def first_row(output: str) -> str:
    """The first row of a table, below its head."""
    return next(line for line in output.splitlines() if line.startswith("│"))


def test_every_documented_command_is_run_by_a_test() -> None:
    commands = {command for document in DOCUMENTS for command in read_commands(document)}

    by_hand = read_commands(ROOT / "docs" / "editing.md")  # by tests/cli/test_changes.py
    assert commands == {*ON_DEMO, *ON_BOOK_CROSSING, *MADE_BY_FIXTURES, *TESTED_ELSEWHERE, *by_hand}


@pytest.mark.parametrize("command", ON_DEMO)
def test_a_documented_command_finds_what_it_asks_for(mesh: Mesh, command: str) -> None:
    output = mesh.home.succeed(*shlex.split(command))

    assert re.search(ON_DEMO[command], first_row(output))


@pytest.fixture(scope="module")
def book_crossing(eval_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """A mesh of the real data, as README says, but with smaller models and a quicker gate."""
    home = Home(tmp_path_factory.mktemp("book-crossing") / "home", QUICKLY_TRAINED)
    folders = (str(eval_data / "book-crossing"), "--open-library", str(eval_data / "open-library"))
    home.succeed("import", "book-crossing", *folders)
    home.succeed("train")
    with running_mesh(home) as running:
        yield running


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.timeout(600)
@pytest.mark.flaky(reruns=0)  # another try would train again
@pytest.mark.parametrize("command", ON_BOOK_CROSSING)
def test_a_command_documented_for_real_data_finds_what_it_asks_for(book_crossing: Mesh, command: str) -> None:
    home = book_crossing.home
    user_id = home.succeed("users", "find", "--source", "book-crossing", "--external-id", "276747").strip()

    output = home.succeed(*shlex.split(command.replace("USER_ID", user_id)))

    assert re.search(ON_BOOK_CROSSING[command], first_row(output))


def test_the_requests_that_up_proposes_find_what_they_ask_for(mesh: Mesh) -> None:
    wait_until(lambda: len(CURL.findall(mesh.output.read_text())) == 3)
    commands = [shlex.split(line) for line in CURL.findall(mesh.output.read_text())]

    answers = {
        httpx.URL(words[-1]).path: json.loads(
            subprocess.run([*words, "--silent"], capture_output=True, check=True).stdout
        )["items"]
        for words in commands
    }

    assert "bmk_" not in mesh.output.read_text()
    assert all(answers.values())
    assert {path: answers[path][0]["title"] for path in FIRST_AT} == FIRST_AT


def test_the_api_page_proposes_searches_that_find_what_they_ask_for(mesh: Mesh) -> None:
    first = {}
    for path, route in mesh.get("/openapi.json")["paths"].items():
        for parameter in route.get("get", {}).get("parameters", []):
            if parameter["name"] == "q":
                [text] = parameter["schema"]["examples"]
                first[path] = mesh.get(path, q=text)["items"][0]["title"]

    assert first == {
        "/v1/search": "The Lathe of Heaven",
        "/v1/search/semantic": "Harry Potter and the Philosopher's Stone",
    }
