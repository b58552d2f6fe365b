"""A password in any setting stays there, whatever goes wrong with it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection
from threading import Thread

import httpx
import pymysql
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from catalog.database import open_database
from catalog.schema import migrate
from cli.commands import ending_in_one_sentence
from cli.main import app
from foundation.settings import ProcessSettings
from telemetry.logs import configure_logging
from tests.gateway.running import KEY, fill_catalog
from tests.homes import ROOT, Home
from tests.meshes import free_ports, port_settings, wait_until
from tests.services import find_binary, free_port, new_mariadb_database, running
from tests.test_repository import SETTINGS, variables

MARKER = "hunter2marker"
NAMES = sorted({name for each in SETTINGS for name, _ in variables(each)} - {"BOOKMESH_HOME"})
SECRET_NAMES = ["CATALOG__DATABASE_URL", "GATEWAY__CACHE__REDIS_URL", "TELEMETRY__OTLP_ENDPOINT"]
"""Those that may hold a password, so that they are tried more often."""
WORD = st.sampled_from(
    [MARKER, f"%41{MARKER}", f"{MARKER}%2Fx", f"a#{MARKER}", f"a/{MARKER}", f"@{MARKER}", f"[{MARKER}"]
)
SCHEME = st.sampled_from(
    [
        "mysql",
        "postgresql",
        "mysql+pymysql",
        "mysql+nosuch",
        "postgresql+psycopg",
        "sqlite",
        "redis",
        "rediss",
        "http",
        "htp",
        "",
        "unix",
    ]
)
URL = st.builds(
    lambda scheme, user, word, host, query: f"{scheme}://{user}:{word}@{host}{query.format(word)}",
    SCHEME,
    st.sampled_from(["me", ""]),
    WORD,
    st.sampled_from(["127.0.0.1:9", "db.example:nine", "db.example", "", "[::1", "a b"]),
    st.sampled_from(["/x", "/x?password={}", "?passwd={}&a=b", "#{}", "/0?nonsense={}"]),
)
SPOILT = st.one_of(URL, URL.map(json.dumps), URL.map(lambda url: json.dumps({"url": url, "port": [url]})))


@settings(max_examples=100)
@given(name=st.sampled_from([*NAMES, *(f"BOOKMESH_{name}" for name in SECRET_NAMES * 15)]), value=SPOILT)
def test_no_setting_shows_the_password_in_what_it_is_given(name: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(name, value)
        shown = "".join(map(show, SETTINGS))

    assert MARKER not in shown


def show(each: type[ProcessSettings]) -> str:
    """All that anybody can print of a process' settings, or of why there are none."""
    try:
        made = each()
    except ValidationError as error:
        with redirect_stderr(io.StringIO()) as printed, pytest.raises(SystemExit), ending_in_one_sentence():
            raise
        return f"{error} {error!r} {printed.getvalue()}"
    return f"{made} {made!r} {made.model_dump()} {made.model_dump(mode='json')} {made.model_dump_json()}"


BAD_DATABASES = {
    "no driver named": f"mysql://me:{MARKER}@127.0.0.1:9/x",
    "driver not installed": f"oracle+oracledb://me:{MARKER}@127.0.0.1:9/x",
    "unknown database": f"nosuch://me:{MARKER}@127.0.0.1/x",
    "a password that is no port": f"mysql+pymysql://me:a@b:{MARKER}/x",
    "encoded": f"postgresql://me:%61{MARKER}%40@127.0.0.1:9/x",
    "in the query": f"mysql+pymysql://127.0.0.1:9/x?password={MARKER}",
    "unknown option": f"mysql+pymysql://127.0.0.1:9/x?pasword={MARKER}",
    "unknown option of PostgreSQL": f"postgresql://127.0.0.1:9/x?pasword={MARKER}",
    "refused by PostgreSQL": f"postgresql+psycopg://me:{MARKER}@127.0.0.1:9/x",
    "refused": f"mysql+pymysql://me:{MARKER}@127.0.0.1:9/x",
    "no URL": f"me:{MARKER}@127.0.0.1",
}


@pytest.mark.parametrize("url", BAD_DATABASES.values(), ids=BAD_DATABASES)
@pytest.mark.parametrize(
    "words",
    ["import demo", "users find --source demo --external-id 1", "train", "up"],
    ids=lambda words: words.split()[0],
)
def test_a_command_without_its_database_names_no_password(
    words: str, url: str, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BOOKMESH_HOME", str(tmp_path))
    environment.setenv("BOOKMESH_CATALOG__DATABASE_URL", url)

    ended = CliRunner().invoke(app, words.split())

    assert ended.exit_code in (1, 2), ended.output
    assert len(ended.output.strip().splitlines()) == 1, ended.output
    assert "BOOKMESH_CATALOG__DATABASE_URL" in ended.output
    assert MARKER not in ended.output + read_all(tmp_path)


@pytest.mark.parametrize(
    "what", ["driver not installed", "a password that is no port", "unknown option", "refused"]
)
def test_a_gateway_without_its_database_names_no_password(what: str, tmp_path: Path) -> None:
    url = BAD_DATABASES[what]
    home = Home(tmp_path / "home", {"BOOKMESH_CATALOG__DATABASE_URL": url, **port_settings(free_ports())})

    ended = start(home, "gateway")

    assert ended.returncode in (1, 2)
    assert "Traceback" not in ended.stderr
    assert "BOOKMESH_CATALOG__DATABASE_URL" in ended.stderr
    assert MARKER not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY__CACHE__REDIS_URL", f"redis://me:a/{MARKER}@127.0.0.1/0"),
        ("GATEWAY__CACHE__REDIS_URL", f"redis://127.0.0.1/0?nonsense={MARKER}"),
        ("GATEWAY__CACHE__REDIS_URL", f"http://me:{MARKER}@127.0.0.1/0"),
        ("GATEWAY__MESH__URLS__ALS", f"http://me:{MARKER}@127.0.0.1:nine"),
        ("GATEWAY__MESH__URLS__ALS", f"http://127.0.0.1?token={MARKER}"),
        ("GATEWAY__MESH__URLS__ALS", f"http://me:{MARKER}@127.0.0.1"),
        ("TELEMETRY__OTLP_ENDPOINT", f"grpc://me:{MARKER}@127.0.0.1"),
        ("TELEMETRY__OTLP_ENDPOINT", f"http://127.0.0.1/?token={MARKER}"),
        ("SERVERS__HOST", f"http://me:{MARKER}@127.0.0.1"),
        ("GATEWAY__HOST", f"http://me:{MARKER}@127.0.0.1"),
    ],
)
def test_an_address_that_cannot_be_one_is_named_before_anything_starts(
    name: str, value: str, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BOOKMESH_HOME", str(tmp_path))
    environment.setenv(f"BOOKMESH_{name}", value)

    ended = CliRunner().invoke(app, ["up"])

    assert ended.exit_code == 2, ended.output
    assert f"BOOKMESH_{name}: " in ended.output
    assert MARKER not in ended.output


@pytest.fixture(scope="module")
def locked_mariadb(mariadb_port: int) -> Iterator[str]:
    """URL of a filled catalog whose user has the marker as password."""
    with (
        new_mariadb_database(mariadb_port) as url,
        pymysql.connect(host="127.0.0.1", port=mariadb_port, user="root") as connection,
    ):
        with closing(open_database(url)) as db:
            migrate(db)
            fill_catalog(db)
        cursor = connection.cursor()
        cursor.execute(f"CREATE USER secretive@'127.0.0.1' IDENTIFIED BY '{MARKER}'")
        cursor.execute("GRANT ALL ON *.* TO secretive@'127.0.0.1'")
        yield url.replace("root@", f"secretive:{MARKER}@")
        cursor.execute("DROP USER secretive@'127.0.0.1'")


@pytest.fixture(scope="module")
def locked_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Redis that demands the marker as password."""
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    binary = find_binary("redis-server", package="redis-server")
    command = [binary, "--port", str(port), "--save", "", "--dir", str(folder), "--requirepass", MARKER]
    with running(command, folder / "log", until=lambda: create_connection(("127.0.0.1", port)).close()):
        yield f"redis://:{MARKER}@127.0.0.1:{port}/0"


@pytest.mark.loopback
@pytest.mark.parametrize("redis_password", [MARKER, f"wrong{MARKER}"])
def test_a_gateway_that_was_given_passwords_tells_none(
    locked_mariadb: str, locked_redis: str, redis_password: str, tmp_path: Path
) -> None:
    with refusing_server() as port:
        settings = {
            "BOOKMESH_CATALOG__DATABASE_URL": locked_mariadb,
            "BOOKMESH_GATEWAY__CACHE__REDIS_URL": locked_redis.replace(MARKER, redis_password),
            "BOOKMESH_TELEMETRY__OTLP_ENDPOINT": f"http://me:{MARKER}@127.0.0.1:{port}",
            "BOOKMESH_TELEMETRY__TRACE_SHARE": "1",
            "BOOKMESH_TELEMETRY__LOG_LEVEL": "debug",
            **port_settings(free_ports()),
        }
        told = ask_everything(Home(tmp_path / "home", settings))

    assert '"cache":"redis"' in told
    assert f'"cache_ok":{"true" if redis_password == MARKER else "false"}' in told
    assert "Failed to export" in told
    assert MARKER not in told


def test_a_wrong_password_of_the_database_is_not_told(locked_mariadb: str, tmp_path: Path) -> None:
    url = locked_mariadb.replace(MARKER, f"wrong{MARKER}")
    home = Home(tmp_path / "home", {"BOOKMESH_CATALOG__DATABASE_URL": url})

    ended = [home.run("train"), start(home, "gateway")]

    assert [each.returncode for each in ended] == [1, 1]
    for each in ended:
        assert "Access denied" in each.stderr
        assert MARKER not in each.stdout + each.stderr


def test_a_version_and_the_reports_of_its_making_tell_no_address_of_the_catalog(trained_home: Home) -> None:
    written = read_all(trained_home.path, "**/*.json")

    assert trained_home.store.current() in written
    assert "database" not in written
    assert "catalog.db" not in written


def test_a_traceback_on_a_terminal_shows_no_local_variable() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure_logging("gateway", stream=stream)
    password = MARKER

    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")

    assert "ZeroDivisionError" in stream.getvalue()
    assert password not in stream.getvalue()


@contextmanager
def refusing_server() -> Iterator[int]:
    """A server that answers everything with 404."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def do_POST(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def start(home: Home, name: str) -> "subprocess.CompletedProcess[str]":
    """A process of the mesh that ends by itself, as the supervisor starts it."""
    lifeline, held = os.pipe()
    try:
        return subprocess.run(
            [sys.executable, "-m", "cli.serve", name], cwd=ROOT, env=home.environment(), stdin=lifeline,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(lifeline)
        os.close(held)


def ask_everything(home: Home) -> str:
    """All that a gateway answers and logs, from its start to its end."""
    log = home.path.with_suffix(".log")
    url = f"http://127.0.0.1:{home.settings['BOOKMESH_PORT']}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "serve", "gateway"],
            cwd=ROOT,
            env=home.environment(),
            stdout=output,
            stderr=output,
        )
    with httpx.Client(base_url=url, timeout=10, headers={"Authorization": f"Bearer {KEY}"}) as client:
        try:
            wait_until(lambda: process.poll() is not None or is_answering(client))
            paths = [
                "/v1/users/1/recommendations",
                "/v1/search?q=space",
                "/v1/health",
                "/v1/version",
                "/metrics",
                "/v1/books/11",
            ]
            told = [
                client.get(path, headers={"traceparent": f"00-{'1' * 32}-{'1' * 16}-01"}).text
                for path in paths
            ]
        finally:
            process.terminate()
            process.wait(30)
    return "\n".join([*told, log.read_text()])


def is_answering(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").is_success
    except httpx.TransportError:
        return False


def read_all(folder: Path, pattern: str = "**/*") -> str:
    """The text of all files of a folder."""
    return "".join(path.read_text(errors="replace") for path in folder.glob(pattern) if path.is_file())
