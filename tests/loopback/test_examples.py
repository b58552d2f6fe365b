"""The examples for client developers, on a real mesh: every request of the .http file, the Python client."""

import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from catalog.keys import KEY_PREFIX
from cli.own_key import read_headers
from tests.homes import ROOT, Home
from tests.meshes import Mesh, running_mesh

pytestmark = pytest.mark.loopback

EXAMPLES = ROOT / "docs" / "examples"
VARIABLE = re.compile(r"^@(\w+) = (.+)$", re.MULTILINE)
REQUEST = re.compile(
    r"(?:^# @name (?P<name>\w+)\n)?"
    r"^(?P<method>[A-Z]+) (?P<url>\S+)\n"
    r"(?P<headers>(?:^[\w-]+: [^\n]+\n)*)"
    r"(?:\n(?P<body>.+))?",
    re.MULTILINE | re.DOTALL,
)
REFERENCE = re.compile(r"{{([^}]+)}}")
PASSWORD = "correct horse battery staple"
ADMIN = "admin@example.org"
NOT_WALKED = {
    ("POST", "/v1/auth/reset/confirm"),  # a mail brings the token
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
}


@dataclass(frozen=True)
class Step:
    """A request of the file, before its references are resolved."""

    name: str | None
    method: str
    url: str
    headers: str
    body: str | None


class Walk:
    """Sends requests in order, each with what the ones before were answered."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables
        self._answers: dict[str, httpx.Response] = {}

    def send(self, client: httpx.Client, step: Step) -> httpx.Response:
        headers = dict(line.split(": ", 1) for line in self._resolve(step.headers).splitlines())
        body = None if step.body is None else self._resolve(step.body)
        answer = client.request(step.method, self._resolve(step.url), headers=headers, content=body)
        if step.name is not None:
            self._answers[step.name] = answer
        return answer

    def _resolve(self, text: str) -> str:
        return REFERENCE.sub(lambda found: self._find(found[1]), text)

    def _find(self, reference: str) -> str:
        if reference in self._variables:
            return self._variables[reference]
        name, _, part, path = reference.split(".", 3)
        if part == "headers":
            return self._answers[name].headers[path]
        found: Any = self._answers[name].json()
        for key in re.findall(r"\w+", path):
            found = found[int(key)] if key.isdecimal() else found[key]
        return str(found)


def read_steps(text: str) -> Iterator[Step]:
    for block in re.split(r"^###.*\n", text, flags=re.MULTILINE):
        if found := REQUEST.search(block):
            yield Step(**found.groupdict())


@pytest.fixture(scope="module")
def mesh(trained_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """One with an admin and without a worker: what takes longer than a request is asked for, and not done."""
    home = trained_home.copy(tmp_path_factory.mktemp("examples") / "home")
    subprocess.run(
        home.command("users", "create-admin", ADMIN),
        cwd=home.checkout,
        env=home.environment(),
        input=f"{PASSWORD}\n",
        text=True,
        check=True,
        capture_output=True,
    )
    with running_mesh(home, BOOKMESH_WORKER__WITH_MESH="false") as running:
        yield running


def read_key(mesh: Mesh) -> str:
    return read_headers(mesh.home.path)["Authorization"].removeprefix("Bearer ")


def test_every_request_of_the_walk_succeeds(mesh: Mesh) -> None:
    text = (EXAMPLES / "bookmesh.http").read_text()
    given = {"host": mesh.url("gateway"), "key": read_key(mesh), "admin_email": ADMIN}
    assert given.keys() < set(dict(VARIABLE.findall(text)))
    steps = list(read_steps(text))
    assert len(steps) == len(re.findall(r"^(?:GET|POST|PUT|PATCH|DELETE) ", text, re.MULTILINE))

    walk = Walk({**dict(VARIABLE.findall(text)), **given})
    with httpx.Client(timeout=10) as client:
        for step in steps:
            answer = walk.send(client, step)
            assert answer.status_code < 400, f"{step.method} {step.url}: {answer.text}"
            assert '"items":[]' not in answer.text, f"{step.method} {step.url}"


def test_the_walk_leads_through_the_whole_api(mesh: Mesh) -> None:
    paths = mesh.get("/openapi.json")["paths"]
    steps = list(read_steps((EXAMPLES / "bookmesh.http").read_text()))

    walked = {(step.method, find_template(step, paths)) for step in steps}

    operations = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert operations - walked == NOT_WALKED


def find_template(step: Step, paths: dict[str, Any]) -> str:
    """The path of the document that a request is of: one without parameters goes first."""
    path = step.url.removeprefix("{{host}}").partition("?")[0]
    fits = [each for each in paths if re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), path)]
    return min(fits, key=lambda each: each.count("{"))


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("client", EXAMPLES / "client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_client_runs_and_is_typed(mesh: Mesh) -> None:
    run = subprocess.run(
        [sys.executable, EXAMPLES / "client.py", mesh.url("gateway")],
        capture_output=True,
        text=True,
        check=False,
    )
    typed = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", EXAMPLES / "client.py"], capture_output=True, check=False
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert "rated: Pride and Prejudice" in run.stdout
    assert "(book_not_found)" in run.stdout
    assert typed.returncode == 0, typed.stdout
    assert len((EXAMPLES / "client.py").read_text().splitlines()) < 200


def test_the_client_refreshes_a_token_that_has_expired(mesh: Mesh, example: ModuleType) -> None:
    with example.Bookmesh(mesh.url("gateway")) as client:
        client.sign_up(f"{uuid4().hex}@example.org", "Ada", PASSWORD)
        log_in = client._http.auth
        first = dict(log_in.tokens)
        secret = bytes.fromhex((mesh.home.path / "secrets" / "signing").read_text())
        claims = jwt.decode(first["access_token"], secret, ["HS256"])
        log_in.tokens["access_token"] = jwt.encode({**claims, "exp": int(time.time()) - 1}, secret, "HS256")

        assert client.recommend(k=1)["items"]

        assert log_in.tokens["refresh_token"] != first["refresh_token"]
        client.send("DELETE", "/v1/me")


def test_the_client_reads_all_pages_and_tells_what_is_wrong(mesh: Mesh, example: ModuleType) -> None:
    with example.Bookmesh(mesh.url("gateway"), key=read_key(mesh)) as client:
        ids = [book["book_id"] for book in client.list_books()]
        with pytest.raises(example.Problem) as raised:
            client.send("GET", "/v1/users/2000000000/ratings")

    assert len(ids) == len(set(ids)) == mesh.get("/v1/books", limit=1)["total"] > example.PAGE_SIZE
    assert (raised.value.status, raised.value.code) == (404, "user_not_found")
    assert raised.value.request_id
    assert KEY_PREFIX not in str(raised.value)
