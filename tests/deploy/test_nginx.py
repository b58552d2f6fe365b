"""nginx.conf with its snippets: valid, and before a gateway it keeps what the gateway relies on."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from contracts.errors import STATUS, Problem
from middleware.gunicorn import LINGER_S
from tests.deploy.nginx import SNIPPETS, running_nginx, write_configuration
from tests.homes import ROOT
from tests.services import find_binary

TRACE = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-01")


class Echo(BaseHTTPRequestHandler):
    """In the gateway's place: tells what it was sent; under /v1/chat/ it answers word by word."""

    protocol_version = "HTTP/1.1"
    may_go_on: ClassVar[threading.Event]

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/v1/chat/"):
            self._tell_slowly()
        else:
            self._tell({name.lower(): value for name, value in self.headers.items()})

    do_POST = do_GET  # noqa: N815  (a name of http.server)

    def _tell(self, heard: dict[str, str]) -> None:
        body = json.dumps(heard | {"padding": "x" * 2000}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _tell_slowly(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.may_go_on.wait(60)
        self.wfile.write(b"data: second\n\n")

    def log_message(self, *_: object) -> None:
        """Nothing: it is no server of ours."""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """nginx before the echo, with a page of the web app."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "web").mkdir()
    (folder / "web" / "index.html").write_text("<p>the app</p>")
    with running_echo() as address, running_nginx(folder, address) as client:
        yield client


@contextmanager
def running_echo() -> Iterator[str]:
    Echo.may_go_on = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("listen", ["listen.plain.conf", "listen.tls.conf"])
@pytest.mark.parametrize("gateway", ["gateway.systemd.conf", "gateway.compose.conf"])
def test_nginx_accepts_every_combination(tmp_path: Path, gateway: str, listen: str) -> None:
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    files = ["-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"]
    subprocess.run([*certificate, *files], check=True, capture_output=True)
    upstream = (SNIPPETS / gateway).read_text().replace("gateway:8000", "127.0.0.1:8000")
    listening = (SNIPPETS / listen).read_text().replace("/etc/bookmesh/tls", str(tmp_path))
    file = write_configuration(tmp_path, gateway=upstream, listen=listening)

    binary = find_binary("nginx", package="nginx-light")
    done = subprocess.run(
        [binary, "-t", "-p", str(tmp_path), "-c", str(file)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, "warn" in done.stderr) == (0, False), done.stderr


def test_the_gateway_hears_who_asks_and_under_which_id(front: httpx.Client) -> None:
    heard = front.get("/v1/books/1", headers={"X-Forwarded-For": "203.0.113.9"}).json()

    trace = TRACE.fullmatch(heard["traceparent"])
    assert heard["x-forwarded-for"] == "127.0.0.1"
    assert heard["x-forwarded-proto"] == "http"
    assert trace is not None and trace[1] == heard["x-request-id"]


def test_ids_that_a_client_brings_are_kept_if_they_are_well_formed(front: httpx.Client) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-00"

    kept = front.get("/v1/books/1", headers={"X-Request-ID": "mine-1", "traceparent": trace}).json()
    replaced = front.get("/v1/books/1", headers={"X-Request-ID": "a b", "traceparent": "x"}).json()

    assert (kept["x-request-id"], kept["traceparent"]) == ("mine-1", trace)
    assert replaced["x-request-id"] != "a b"
    assert TRACE.fullmatch(replaced["traceparent"])


def test_answers_are_compressed_here_and_carry_what_browsers_must_heed(front: httpx.Client) -> None:
    response = front.get("/v1/books/1")

    assert response.headers["content-encoding"] == "gzip"
    assert "accept-encoding" not in response.json()
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert "strict-transport-security" not in response.headers
    assert response.headers["server"] == "nginx"


def test_bodies_have_limits_and_an_import_of_a_library_a_larger_one(front: httpx.Client) -> None:
    refused = front.post("/v1/recommendations", content=b"x" * 600_000)
    taken = front.post("/v1/me/import", content=b"x" * 600_000)

    check_problem(refused, 413)
    assert taken.status_code == 200


def test_a_flood_of_log_ins_is_refused_in_our_words(front: httpx.Client) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: front.post("/v1/auth/login"), range(150)))

    refused = [each for each in answers if each.status_code == 429]
    assert refused
    check_problem(refused[0], 429)
    assert refused[0].headers["retry-after"] == "1"


def test_words_are_passed_on_as_they_come(front: httpx.Client) -> None:
    with front.stream("GET", "/v1/chat/1") as response:
        lines = response.iter_lines()
        first = next(lines)
        Echo.may_go_on.set()
        rest = [line for line in lines if line]

    assert (first, rest) == ("data: first", ["data: second"])


def test_what_is_no_part_of_the_api_is_the_web_apps(front: httpx.Client) -> None:
    assert front.get("/").text == front.get("/books/7").text == "<p>the app</p>"
    assert front.get("/metrics").status_code == 404
    assert front.get("/docs").json()["host"]


def test_without_a_gateway_the_answer_says_so(tmp_path: Path) -> None:
    with running_nginx(tmp_path, f"unix:{tmp_path}/none.sock") as client:
        response = client.get("/v1/health")

    check_problem(response, 503)
    assert response.headers["retry-after"] == "1"


def test_nginx_gives_idle_connections_up_before_a_stopping_gateway_does() -> None:
    kept = re.search(r"keepalive_timeout (\d+)ms;", (ROOT / "nginx.conf").read_text())

    assert kept is not None and int(kept[1]) <= 1000 * LINGER_S / 2


def test_log_lines_are_json_without_queries(tmp_path: Path) -> None:
    with running_echo() as address, running_nginx(tmp_path, address) as client:
        client.get("/v1/search", params={"q": "secret wishes"}, headers={"X-Request-ID": "mine-2"})

    line = json.loads((tmp_path / "log" / "access.log").read_text().splitlines()[-1])
    assert (line["path"], line["status"], line["request_id"]) == ("/v1/search", 200, "mine-2")
    assert "secret" not in str(line)


def check_problem(response: httpx.Response, status: int) -> None:
    problem = Problem.model_validate_json(response.content)

    assert (response.status_code, problem.status, STATUS[problem.code]) == (status, status, status)
    assert problem.type == f"urn:bookmesh:error:{problem.code}"
    assert response.headers["content-type"] == "application/problem+json"
