"""Every failure of every route is one and the same kind of body."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.errors import PROBLEM_MEDIA_TYPE, ClientCode, Problem
from gateway.api.middleware import ConcurrencyLimit
from gateway.errors import GatewayError, Overloaded
from tests.gateway import running

UNKNOWN = {
    "author_id": "4711",
    "user_id": "77",
    "book_id": "5",
    "isbn": "9780000000019",
    "row_id": "3",
    "version": "20200101T000000Z-000000",
    "job_id": "4711",
    "report_id": "4711",
    "name": "nobody",
}
NONSENSE = {
    "author_id": "-1",
    "user_id": "-1",
    "book_id": "x",
    "isbn": "12345",
    "row_id": "first",
    "version": "latest",
    "job_id": "-1",
    "report_id": "x",
    "name": "a b",
}
OF_ADMINS = "/v1/admin"
"""Their routes are listed in tests/gateway/accounts/routes.py."""


def _check_problem(response: httpx.Response) -> Problem:
    assert response.headers["Content-Type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(response.content)
    assert problem.status == response.status_code
    assert problem.type == f"urn:bookmesh:error:{problem.code}"
    assert problem.request_id == response.headers["X-Request-ID"]
    assert response.headers["X-Artifact-Version"]
    return problem


@pytest.fixture(scope="module")
def operations(shared: httpx.Client) -> list[tuple[str, str]]:
    """Method and path of every route, from the gateway's own description."""
    paths: dict[str, dict[str, Any]] = shared.get("/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def test_every_route_is_there(operations: list[tuple[str, str]]) -> None:
    assert {(method, path) for method, path in operations if not path.startswith(OF_ADMINS)} == {
        ("GET", "/v1/users/{user_id}/recommendations"),
        ("GET", "/v1/users/{user_id}/recommendations/{book_id}/why"),
        ("GET", "/v1/users/{user_id}/ratings"),
        ("PUT", "/v1/users/{user_id}/ratings/{book_id}"),
        ("DELETE", "/v1/users/{user_id}/ratings/{book_id}"),
        ("POST", "/v1/users"),
        ("GET", "/v1/users/{user_id}/dismissals"),
        ("PUT", "/v1/users/{user_id}/dismissals/{book_id}"),
        ("DELETE", "/v1/users/{user_id}/dismissals/{book_id}"),
        ("GET", "/v1/users/{user_id}/shelf"),
        ("PUT", "/v1/users/{user_id}/shelf/{book_id}"),
        ("DELETE", "/v1/users/{user_id}/shelf/{book_id}"),
        ("POST", "/v1/recommendations"),
        ("GET", "/v1/authors"),
        ("GET", "/v1/authors/{author_id}"),
        ("GET", "/v1/model"),
        ("GET", "/v1/books"),
        ("GET", "/v1/books/{book_id}"),
        ("GET", "/v1/books/{book_id}/authors"),
        ("GET", "/v1/books/{book_id}/similar"),
        ("GET", "/v1/books/popular"),
        ("GET", "/v1/books/isbn/{isbn}"),
        ("GET", "/v1/search"),
        ("GET", "/v1/search/semantic"),
        ("GET", "/v1/subjects"),
        ("POST", "/v1/auth/signup"),
        ("POST", "/v1/auth/login"),
        ("POST", "/v1/auth/refresh"),
        ("POST", "/v1/auth/logout"),
        ("POST", "/v1/auth/logout-everywhere"),
        ("POST", "/v1/auth/password"),
        ("POST", "/v1/auth/reset"),
        ("POST", "/v1/auth/reset/confirm"),
        ("POST", "/v1/auth/claim"),
        ("GET", "/v1/me"),
        ("PATCH", "/v1/me"),
        ("DELETE", "/v1/me"),
        ("GET", "/v1/me/export"),
        ("POST", "/v1/me/import"),
        ("GET", "/v1/me/import/review"),
        ("POST", "/v1/me/import/review/{row_id}"),
        ("GET", "/v1/me/ratings"),
        ("POST", "/v1/me/ratings"),
        ("GET", "/v1/me/statistics"),
        ("PUT", "/v1/me/ratings/{book_id}"),
        ("DELETE", "/v1/me/ratings/{book_id}"),
        ("GET", "/v1/me/dismissals"),
        ("PUT", "/v1/me/dismissals/{book_id}"),
        ("DELETE", "/v1/me/dismissals/{book_id}"),
        ("GET", "/v1/me/shelf"),
        ("PUT", "/v1/me/shelf/{book_id}"),
        ("DELETE", "/v1/me/shelf/{book_id}"),
        ("POST", "/v1/events"),
        ("GET", "/v1/me/recommendations"),
        ("GET", "/v1/me/recommendations/{book_id}/why"),
        ("GET", "/v1/health"),
        ("GET", "/v1/version"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/metrics"),
    }


@pytest.mark.parametrize("values", [UNKNOWN, NONSENSE])
def test_every_failure_of_every_route_is_a_problem(
    shared: httpx.Client, operations: list[tuple[str, str]], values: dict[str, str]
) -> None:
    n_failures = 0
    for method, template in operations:
        path = re.sub(r"{(\w+)}", lambda match: values[match[1]], template)
        for options in ({}, {"params": {"k": "0", "limit": "0"}}, {"content": b"{nonsense"}):
            response = shared.request(method, path, **options)  # type: ignore[arg-type]
            if response.is_error:
                _check_problem(response)
                n_failures += 1
    assert n_failures > len(operations)


def test_a_method_that_a_route_does_not_know_is_a_problem(
    shared: httpx.Client, operations: list[tuple[str, str]]
) -> None:
    for _, template in operations:
        response = shared.request("TRACE", re.sub(r"{(\w+)}", lambda match: UNKNOWN[match[1]], template))

        assert response.status_code == 405
        assert _check_problem(response).code == ClientCode.METHOD_NOT_ALLOWED
        assert response.headers["Allow"]


def test_an_unknown_path_is_a_problem(shared: httpx.Client) -> None:
    assert _check_problem(shared.get("/v2/books")).code == ClientCode.NOT_FOUND


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_body_over_the_limit_is_a_problem(shared: httpx.Client, is_streamed: bool) -> None:
    def stream() -> Iterator[bytes]:
        for _ in range(1000):
            yield bytes(1024)

    content = stream() if is_streamed else bytes(1_000_000)

    response = shared.post("/v1/recommendations", content=content)

    assert response.status_code == 413
    assert _check_problem(response).code == ClientCode.BODY_TOO_LARGE


@pytest.mark.parametrize(
    "content",
    [b'{"k": ' + b"1" * 5000 + b"}", b"[" * 30_000, b'{"k": "\xff"}', b'{"subjects": ["\\ud800"]}'],
    ids=["a number of 5000 digits", "30,000 levels deep", "no UTF-8", "half a character"],
)
def test_a_body_that_cannot_even_be_decoded_is_as_invalid_as_any_other(
    shared: httpx.Client, content: bytes
) -> None:
    response = shared.post(
        "/v1/recommendations", content=content, headers={"Content-Type": "application/json"}
    )

    assert response.status_code == 422
    assert _check_problem(response).code == ClientCode.INVALID_REQUEST


@pytest.mark.parametrize(
    "body", [{"k": True}, {"k": "10"}, {"liked": [{"book_id": "11"}]}, {"liked": [{"book_id": 11.5}]}]
)
def test_a_value_of_another_type_is_refused_and_not_converted(shared: httpx.Client, body: object) -> None:
    response = shared.post("/v1/recommendations", json=body)

    assert response.status_code == 422
    assert _check_problem(response).code == ClientCode.INVALID_REQUEST


def test_an_error_that_nobody_foresaw_keeps_its_details_to_the_log(urls: dict[str, str], home: Path) -> None:
    settings = running.settings_for(home, urls)

    async def fail() -> None:
        raise RuntimeError("the secret")

    with running.gateway(settings, lambda app: app.add_api_route("/v1/failing", fail)) as client:
        response = client.get("/v1/failing")

    assert response.status_code == 500
    assert _check_problem(response).code == ClientCode.INTERNAL
    assert "secret" not in response.text


def test_the_document_names_the_codes_of_clients_and_no_other(shared: httpx.Client) -> None:
    schemas = shared.get("/openapi.json").json()["components"]["schemas"]

    assert schemas["Problem"]["properties"]["code"] == {"$ref": "#/components/schemas/ClientCode"}
    assert schemas["ClientCode"]["enum"] == list(ClientCode)


def test_every_error_that_reaches_clients_has_a_code_of_theirs() -> None:
    reaching = [error for error in subclasses(GatewayError) if error.code != ClientCode.INTERNAL]

    assert len(reaching) > 8
    assert all(error.code in list(ClientCode) for error in reaching)


def subclasses(base: type[GatewayError]) -> list[type[GatewayError]]:
    return [each for child in base.__subclasses__() for each in (child, *subclasses(child))]


def test_the_caller_s_request_id_comes_back(shared: httpx.Client) -> None:
    response = shared.get("/v1/users/77/recommendations", headers={"X-Request-ID": "my-id.7"})

    assert _check_problem(response).request_id == "my-id.7"


async def test_one_request_more_than_the_limit_is_refused_with_a_time_to_retry() -> None:
    may_end = asyncio.Event()

    async def app(scope: object, receive: object, send: object) -> None:
        await may_end.wait()

    limited = ConcurrencyLimit(app, limit=2)

    def call(path: str) -> "asyncio.Task[None]":
        scope = {"type": "http", "path": path}
        return asyncio.create_task(limited(scope, None, None))  # type: ignore[arg-type]

    running_ = [call("/v1/search") for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await call("/v1/search")
    health = call("/v1/health")
    may_end.set()
    await asyncio.gather(*running_, health)
    await call("/v1/search")


def test_the_overload_answer_names_when_to_come_back(urls: dict[str, str], home: Path) -> None:
    settings = running.settings_for(home, urls, concurrency=1)

    async def wait() -> None:
        await asyncio.sleep(0.5)

    with running.gateway(settings, lambda app: app.add_api_route("/v1/waiting", wait)) as client:
        statuses = asyncio.run(_call_at_once(str(client.base_url)))

    assert sorted(statuses) == [(200, None), (503, "1")]


async def _call_at_once(url: str) -> list[tuple[int, str | None]]:
    async with httpx.AsyncClient(base_url=url) as client:
        responses = await asyncio.gather(*(client.get("/v1/waiting") for _ in range(2)))
    return [(response.status_code, response.headers.get("Retry-After")) for response in responses]


def test_the_description_is_complete(shared: httpx.Client) -> None:
    paths = shared.get("/openapi.json").json()["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]

    assert all(operation["summary"] for operation in operations)
    for operation in operations:
        for parameter in operation.get("parameters", []):
            assert parameter.get("description") or parameter["schema"].get("description"), parameter
    assert shared.get("/docs").status_code == 200
