"""Fixtures that start a real MariaDB, PostgreSQL and Redis of their own, on free ports and in own folders."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pymysql
import pytest
import redis

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
ELSEWHERE = (
    "/usr/sbin",
    "/usr/local/sbin",
    *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
)
"""Where servers are that are not on the path."""


def find_binary(*names: str, package: str) -> str:
    """The first of these programs on the path: without it a test is skipped, but fails where CI is set."""
    for name in names:
        if found := shutil.which(name, path=":".join((os.environ["PATH"], *ELSEWHERE))):
            return found
    message = f"{names[0]} IS NOT INSTALLED, so this is not tested: `apt-get install {package}`"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """A port of loopback that nobody else is given for a minute: tests run in two processes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        # Who closes first leaves the port in TIME_WAIT: nobody is given it, but who asks for it may listen.
        with socket.create_connection(address), listener.accept()[0]:
            pass
        return int(address[1])


@dataclass
class Service:
    """A server process that can be killed and started again; it is there when `until` raises no OSError."""

    command: list[str]
    log: Path
    until: Callable[[], object]
    options: dict[str, Any]

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, stdout=output, stderr=subprocess.STDOUT, **self.options
            )
        _wait(self.process, self.until, self.log)

    def end(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(with_signal)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=STOP_TIMEOUT_S)
        self.process.kill()
        self.process.wait()


@contextmanager
def running(
    command: list[str],
    log: Path,
    *,
    until: Callable[[], object],
    stop: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> Iterator[Service]:
    """A server process, until the end of the block."""
    service = Service(command, log, until, options)
    try:
        service.start()
        yield service
    finally:
        service.end(stop)


def _wait(process: subprocess.Popen[bytes], until: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            until()
        except (OSError, psycopg.OperationalError, pymysql.OperationalError, redis.ConnectionError):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{process.args} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Redis of this test run."""
    with running_redis(tmp_path_factory.mktemp("redis")) as (port, _):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def running_redis(folder: Path) -> Iterator[tuple[int, Service]]:
    """Port and process of a Redis with its data in this folder."""
    binary, port = find_binary("redis-server", package="redis-server"), free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, folder / "log", until=lambda: _ping_redis(port)) as service:
        yield port, service


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Address of an empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def mariadb_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a MariaDB of this test run; root needs no password."""
    with running_mariadb(tmp_path_factory.mktemp("mariadb")) as port:
        yield port


@contextmanager
def running_mariadb(folder: Path) -> Iterator[int]:
    """Port of a MariaDB with its data in this folder."""
    with running_mariadb_service(folder) as (port, _):
        yield port


@contextmanager
def running_mariadb_service(folder: Path) -> Iterator[tuple[int, Service]]:
    """The same, and its process."""
    binary = find_binary("mariadbd", "mysqld", package="mariadb-server")
    install = find_binary("mariadb-install-db", "mysql_install_db", package="mariadb-server")
    data, port = folder / "data", free_port()
    options = ["--no-defaults", f"--datadir={data}"]
    if os.geteuid() == 0:
        options.append("--user=root")
    subprocess.run(
        [install, *options, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    command = [
        binary, *options, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 's'}",
        f"--pid-file={folder / 'pid'}",
        "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=128M",
        "--loose-innodb-snapshot-isolation=ON",  # as from 11.6 on; earlier ones may not have it
    ]  # fmt: skip
    with running(command, folder / "log", until=lambda: _connect_mariadb(port).close()) as service:
        yield port, service


@pytest.fixture
def mariadb_url(mariadb_port: int) -> Iterator[str]:
    """SQLAlchemy URL of an empty MariaDB database, dropped afterwards."""
    with new_mariadb_database(mariadb_port) as url:
        yield url


@contextmanager
def new_mariadb_database(mariadb_port: int) -> Iterator[str]:
    """SQLAlchemy URL of an empty MariaDB database, dropped at the end of the block."""
    name = f"bookmesh_{uuid4().hex[:8]}"
    with _connect_mariadb(mariadb_port) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    yield f"mysql+pymysql://root@127.0.0.1:{mariadb_port}/{name}?charset=utf8mb4"
    with _connect_mariadb(mariadb_port) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def postgresql_port() -> Iterator[int]:
    """Port of a PostgreSQL of this test run; anybody is its superuser `bookmesh`."""
    with running_postgresql() as port:
        yield port


@contextmanager
def running_postgresql() -> Iterator[int]:
    """Port of a PostgreSQL that sorts text by the rules of a language, as servers often do."""
    binary, initialize = (find_binary(name, package="postgresql") for name in ("postgres", "initdb"))
    # Not below pytest's folder: PostgreSQL refuses to run as root, and others may not enter that.
    with tempfile.TemporaryDirectory(prefix="bookmesh_postgresql_") as name:
        folder, port, options = Path(name), free_port(), _as_somebody(Path(name))
        subprocess.run(
            [
                initialize, "--pgdata", f"{folder}/data", "--username=bookmesh", "--auth=trust", "--no-sync",
                "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **options,
        )  # fmt: skip
        command = [
            binary, "-D", f"{folder}/data", "-p", str(port), "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={folder}", "-c", "fsync=off", "-c", "shared_buffers=128MB",
        ]  # fmt: skip
        # Not SIGTERM, which lets clients finish.
        until, stop = (lambda: _connect_postgresql(port).close()), signal.SIGINT
        with running(command, folder / "log", until=until, stop=stop, **options):
            yield port


@pytest.fixture
def postgresql_url(postgresql_port: int) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database, dropped afterwards."""
    with new_postgresql_database(postgresql_port) as url:
        yield url


@contextmanager
def new_postgresql_database(postgresql_port: int) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database, dropped at the end of the block."""
    name = f"bookmesh_{uuid4().hex[:8]}"
    with _connect_postgresql(postgresql_port) as connection:
        connection.autocommit = True
        connection.execute(f"CREATE DATABASE {name}")
        yield f"postgresql+psycopg://bookmesh@127.0.0.1:{postgresql_port}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _as_somebody(folder: Path) -> dict[str, Any]:
    """How to start a program in a folder that belongs to it, as somebody other than root."""
    if os.geteuid() != 0:
        return {"cwd": folder}
    account = next(each for each in pwd.getpwall() if each.pw_name in ("postgres", "nobody"))
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"cwd": folder, "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _connect_postgresql(port: int) -> psycopg.Connection[Any]:
    return psycopg.connect(f"host=127.0.0.1 port={port} user=bookmesh dbname=postgres")


def _ping_redis(port: int) -> None:
    with redis.Redis(host="127.0.0.1", port=port) as client:
        client.ping()


def _connect_mariadb(port: int) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    return pymysql.connect(host="127.0.0.1", port=port, user="root")
