import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import fastapi
import httpx
import pytest
import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs
from structlog.typing import EventDict

from contracts.errors import PROBLEM_MEDIA_TYPE, ClientCode, CodedError, Problem
from middleware.problems import HANDLERS
from middleware.requests import RequestMiddleware
from telemetry.metrics import HttpMetrics

LIMIT_BYTES = 1000


class Refused(CodedError):
    code = ClientCode.BOOK_NOT_FOUND


@contextmanager
def serving(app: ASGIApp) -> Iterator[httpx.Client]:
    runner = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        while not runner.started:
            time.sleep(0.005)
        port = runner.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        runner.should_exit = True
        thread.join()


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[EventDict]]:
    """What is logged; without it, structlog would draw a traceback for a person, which takes seconds."""
    with capture_logs() as logs:
        yield logs


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def options(registry: CollectorRegistry) -> dict[str, Any]:
    """All arguments of RequestMiddleware but the app."""
    return {
        "metrics": HttpMetrics("tests", registry),
        "max_body_bytes": LIMIT_BYTES,
    }


@pytest.fixture
def client(options: dict[str, Any]) -> Iterator[httpx.Client]:
    """A FastAPI app behind the middleware, as the gateway is."""
    app = fastapi.FastAPI(exception_handlers=dict(HANDLERS))
    router = fastapi.APIRouter(prefix="/v1")

    @router.post("/echo/{name}")
    async def echo(name: str, request: fastapi.Request) -> dict[str, Any]:
        return {"name": name, "length": len(await request.body())}

    @router.get("/refuse")
    async def refuse() -> None:
        raise Refused

    @router.get("/fail")
    def fail() -> None:
        raise ZeroDivisionError("a secret")

    app.include_router(router)
    app.add_middleware(RequestMiddleware, **options)
    with serving(app) as client:
        yield client


def metric(registry: CollectorRegistry, route: str, status: int) -> float | None:
    labels = {"process": "tests", "route": route, "status": str(status)}
    return registry.get_sample_value("bookmesh_requests_total", labels)


def test_an_answer_passes_through_with_a_request_id(client: httpx.Client) -> None:
    response = client.post("/v1/echo/a", content=b"x" * LIMIT_BYTES, headers={"X-Request-ID": "one.two"})

    assert response.json() == {"name": "a", "length": LIMIT_BYTES}
    assert response.headers["x-request-id"] == "one.two"


def test_a_chunked_body_arrives_whole(client: httpx.Client) -> None:
    response = client.post("/v1/echo/a", content=iter([b"x" * 400, b"y" * 400]))

    assert response.json()["length"] == 800


@pytest.mark.parametrize("content", [b"x" * (LIMIT_BYTES + 1), [b"x" * LIMIT_BYTES, b"x"]])
def test_a_body_over_the_limit_never_reaches_the_app(client: httpx.Client, content: Any) -> None:
    response = client.post("/v1/echo/a", content=iter(content) if isinstance(content, list) else content)

    assert response.status_code == 413
    assert Problem.model_validate_json(response.content).code == ClientCode.BODY_TOO_LARGE
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE


@pytest.mark.parametrize(("path", "status"), [("/v1/refuse", 404), ("/v1/fail", 500)])
def test_an_exception_of_the_app_becomes_a_problem_that_quotes_the_request_id(
    client: httpx.Client, path: str, status: int
) -> None:
    response = client.get(path)

    assert response.status_code == status
    problem = Problem.model_validate_json(response.content)
    assert problem.request_id == response.headers["x-request-id"]


def test_metrics_name_the_route_not_the_path(client: httpx.Client, registry: CollectorRegistry) -> None:
    client.post("/v1/echo/secret")
    client.get("/v1/fail")
    client.get("/elsewhere/secret")

    assert metric(registry, "/v1/echo/{name}", 200) == 1
    assert metric(registry, "/v1/fail", 500) == 1
    assert metric(registry, "unmatched", 404) == 1
    assert b"secret" not in generate_latest(registry)
    assert registry.get_sample_value("bookmesh_requests_in_progress", {"process": "tests"}) == 0


def test_each_request_is_logged_once_at_the_level_of_its_status(
    client: httpx.Client, logs: list[EventDict]
) -> None:
    client.post("/v1/echo/a")
    client.get("/v1/refuse")
    client.get("/v1/fail")

    requests = [
        (line["path"], line["status"], line["log_level"])
        for line in logs
        if line["event"] == "request" and line["path"].startswith("/v1/")
    ]
    assert requests == [
        ("/v1/echo/a", 200, "info"),
        ("/v1/refuse", 404, "info"),
        ("/v1/fail", 500, "warning"),
    ]
    errors = [line["error"] for line in logs if line["event"] == "request failed"]
    assert errors == ["ZeroDivisionError('a secret')"]


def test_successes_are_logged_at_the_level_that_was_chosen(
    options: dict[str, Any], logs: list[EventDict]
) -> None:
    app = RequestMiddleware(answer_late(lambda: None), **options, success_level=logging.DEBUG)

    with serving(app) as client:
        client.get("/quiet")

    assert [line["log_level"] for line in logs if line.get("path") == "/quiet"] == ["debug"]


def test_a_failure_in_the_middle_of_an_answer_breaks_the_connection(options: dict[str, Any]) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with (
        serving(RequestMiddleware(answer_late(fail), **options)) as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get("/")


def test_a_client_that_hangs_up_while_sending_is_counted_and_reaches_no_app(
    client: httpx.Client, registry: CollectorRegistry
) -> None:
    def hang_up() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        client.post("/v1/echo/a", content=hang_up())

    deadline_s = time.monotonic() + 5
    while metric(registry, "unmatched", 499) != 1:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def answer_late(then: Callable[[], None]) -> ASGIApp:
    """An app that sends the head of an answer, does something, and sends the rest."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        then()
        await send({"type": "http.response.body", "body": b"ok"})

    return app
