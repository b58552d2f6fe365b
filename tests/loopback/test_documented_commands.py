"""What the documents tell people to type: each command works, and what it finds first is what it asks for."""

import re
import shlex
from pathlib import Path

import httpx
import pytest

from tests.homes import ROOT
from tests.meshes import Mesh

pytestmark = pytest.mark.loopback

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FIRST_FOUND = {
    'search "a vampire in Transylvania" --semantic': "Dracula",
    "recommend USER_ID": None,
    "status": None,
    "versions list": None,
}
"""What must come first on the demo catalog, where one answer is right."""
NOT_ON_DEMO = {
    "import book-crossing path/to/book-crossing --open-library path/to/open-library",
    "users find --source book-crossing --external-id 276747",
    "similar 0440234743",
}
"""They name the files, a reader and an edition of Book-Crossing."""
TESTED_ELSEWHERE = {"train", "up", 'versions rollback --why "complaints about list quality"'}
"""The home of all these tests was trained and is served by them; test_rollback goes back and forth."""
CURL = re.compile(r"curl '(http://[^']+)'")
FIRST_AT = {"/v1/search": "Pride and Prejudice"}


def read_commands(document: Path) -> list[str]:
    """Every `bookmesh` command of a document's code blocks, without its comment."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", document.read_text(), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).splitlines()
    commands = [
        line.partition("bookmesh ")[2] for line in lines if re.match(r" *(\.venv/bin/)?bookmesh ", line)
    ]
    return [re.sub(r"\s+#.*", "", command).strip() for command in commands]


def test_every_documented_command_is_run_by_a_test() -> None:
    commands = {command for document in DOCUMENTS for command in read_commands(document)}

    assert commands == {*FIRST_FOUND, *NOT_ON_DEMO, *TESTED_ELSEWHERE}


@pytest.mark.parametrize("command", FIRST_FOUND)
def test_a_documented_command_finds_what_it_asks_for(mesh: Mesh, command: str) -> None:
    output = mesh.home.succeed(*shlex.split(command.replace("USER_ID", "142")))

    rows = [line for line in output.splitlines() if re.match(r"^│\s+1 │", line)]
    expected = FIRST_FOUND[command]
    assert output
    assert expected is None or expected in rows[0]


def test_the_requests_that_up_proposes_find_what_they_ask_for(mesh: Mesh) -> None:
    urls = [httpx.URL(url) for url in CURL.findall(mesh.output.read_text())]

    answers = {url.path: mesh.client.get(url).raise_for_status().json()["items"] for url in urls}

    assert len(answers) == 3
    assert all(answers.values())
    assert {path: answers[path][0]["title"] for path in FIRST_AT} == FIRST_AT
