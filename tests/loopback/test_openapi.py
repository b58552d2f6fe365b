"""The OpenAPI document and the gateway agree: every example works, and made-up requests find no fault."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from cli.own_key import read_headers
from tests.meshes import Mesh
from tests.schemathesis_runs import run_schemathesis

pytestmark = pytest.mark.loopback

MAX_S = 25
NOT_ASKED = ("/v1/auth/", "/v1/me/import/review/", "/v1/admin")
METHODS = ("get", "post", "put", "patch", "delete")
"""In this order, what is put can be deleted."""


@pytest.fixture(scope="module")
def document(mesh: Mesh) -> dict[str, Any]:
    found: dict[str, Any] = mesh.get("/openapi.json")
    return found


def example_of(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The first example of a schema, or one made of its parts' examples."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "examples" in schema:
        return schema["examples"][0]
    if "items" in schema:
        return [example_of(document, schema["items"])]
    return {name: example_of(document, part) for name, part in schema["properties"].items()}


def sign_up(mesh: Mesh) -> dict[str, str]:
    """The headers of a new reader: of one book read, one dismissed, one to read, and one asked about."""
    form = {
        "email": f"{uuid4().hex}@example.org",
        "name": "Ada",
        "password": "a password",
        "loved_books": [243],
    }
    answer = mesh.client.post("/v1/auth/signup", json=form)
    assert answer.status_code == 201, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    library = 'Title,Author,My Rating,Exclusive Shelf\n"Faust, Part Two",Johann Wolfgang von Goethe,4,read\n'
    brought = mesh.client.post(
        "/v1/me/import", content=library, headers={**headers, "Content-Type": "text/csv"}
    )
    assert brought.json()["n_to_review"] == 1, brought.text
    for path in ("/v1/me/dismissals/244", "/v1/me/shelf/245"):
        assert mesh.client.put(path, headers=headers).status_code == 204
    for path in ("/v1/users/142/dismissals/244", "/v1/users/142/shelf/245"):
        assert mesh.client.put(path).status_code == 204
    return headers


def add_body(document: dict[str, Any], arguments: dict[str, Any], content: dict[str, Any]) -> None:
    """The example of the first type that a body may be of."""
    media_type = next(iter(content))
    if media_type == "application/json":
        arguments["json"] = example_of(document, content[media_type]["schema"])
    else:
        arguments["content"] = content[media_type]["example"]
        arguments["headers"] = {**arguments.get("headers", {}), "Content-Type": media_type}


def read_examples(
    document: dict[str, Any], headers: dict[str, str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and further arguments of one request of each operation, made of its examples.

    Those of accounts are left out, no token that stands in a document is good; so are rows of libraries,
    and what admins do, since other tests need these books.
    """
    for method in METHODS:
        # From the longest on: what belongs to a reader is deleted before the reader.
        for template, operations in sorted(document["paths"].items(), key=lambda path: -len(path[0])):
            if method not in operations or template.startswith(NOT_ASKED):
                continue
            parameters = operations[method].get("parameters", [])
            values: dict[str, dict[str, Any]] = {"path": {}, "query": {}}
            for each in parameters:
                if each["required"] or "examples" in each["schema"]:
                    values[each["in"]][each["name"]] = example_of(document, each["schema"])
            arguments: dict[str, Any] = {"params": values["query"]}
            if template.startswith(("/v1/me", "/v1/events")):
                arguments["headers"] = headers
            if body := operations[method].get("requestBody"):
                add_body(document, arguments, body["content"])
            yield method, template.format(**values["path"]), arguments


def test_every_example_works_on_the_demo_catalog(mesh: Mesh, document: dict[str, Any]) -> None:
    answers = {
        f"{method} {path}": mesh.client.request(method, path, **arguments)
        for method, path, arguments in read_examples(document, sign_up(mesh))
    }

    assert {call: answer.text for call, answer in answers.items() if not answer.is_success} == {}
    assert [call for call, answer in answers.items() if '"items":[]' in answer.text] == []
    assert answers["get /v1/search"].json()["items"][0]["title"] == "The Lathe of Heaven"
    found = answers["get /v1/search/semantic"].json()["items"][0]["title"]
    assert found == "Harry Potter and the Philosopher's Stone"


def test_head_has_the_headers_of_get_and_no_body(mesh: Mesh, document: dict[str, Any]) -> None:
    for method, path, arguments in read_examples(document, sign_up(mesh)):
        if method == "get" and path != "/metrics":  # which grows by every request
            got, asked = (mesh.client.request(each, path, **arguments) for each in ("GET", "HEAD"))
            differing = {name for name in got.headers if got.headers[name] != asked.headers.get(name)}
            assert (asked.status_code, asked.content) == (200, b"")
            counted = {"ratelimit-remaining", "ratelimit-reset"}
            assert differing <= {"date", "x-request-id", *counted}, path


def test_generated_requests_find_no_fault(frail_mesh: Mesh) -> None:
    [token], [key] = (
        headers.values() for headers in (sign_up(frail_mesh), read_headers(frail_mesh.home.path))
    )
    authorizations = {"AUTHORIZATION": token, "AUTHORIZATION_OF_SERVICE": key}
    run_schemathesis(
        f"{frail_mesh.url('gateway')}/openapi.json",
        *("--exclude-path-regex", "^/v1/admin"),  # what they change other tests need
        folder=frail_mesh.home.path,
        authorizations=authorizations,
        max_s=MAX_S,
    )
