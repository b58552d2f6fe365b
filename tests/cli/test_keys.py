"""`bookmesh keys`, and what a home keeps for its own commands and for whoever tries it out."""

import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from catalog.accounts import DEMO_EMAIL
from cli.demo_account import password_path
from cli.own_key import key_path, read_headers
from tests.homes import DEMO, Home
from tests.meshes import Mesh, wait_until

LIST = "/v1/users/1/recommendations"
KEY = re.compile(r"bmk_[\w-]{43}\n")


def read(home: Home, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home.path / "catalog.db")) as connection:
        return connection.execute(query).fetchall()


def read_files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def ask(mesh: Mesh, key: str) -> int:
    return mesh.client.get(LIST, headers={"Authorization": f"Bearer {key}"}).status_code


@pytest.fixture(scope="module")
def home(imported_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return imported_home.copy(tmp_path_factory.mktemp("keys") / "home")


def test_a_key_is_printed_alone_and_stored_by_its_digest(home: Home) -> None:
    output = home.succeed("keys", "create", "shop", "--scope", "readers", "--per-minute", "600")

    assert KEY.fullmatch(output)
    [stored] = read(home, "SELECT name, scopes, rate_per_minute, key_hash FROM api_keys WHERE name = 'shop'")
    assert stored[:3] == ("shop", "readers", 600)
    holders = [name for name, content in read_files(home.path).items() if output.strip().encode() in content]
    assert holders == []


def test_keys_are_listed_and_revoked_and_the_log_tells(home: Home) -> None:
    home.succeed("keys", "create", "old-shop", "--scope", "readers")
    before = home.succeed("keys", "list")

    home.succeed("keys", "revoke", "old-shop")

    [old, new] = [
        next(line for line in shown.splitlines() if "old-shop" in line).split("│")
        for shown in (before, home.succeed("keys", "list"))
    ]
    assert (old[3].strip(), old[7].strip(), bool(new[7].strip())) == ("readers", "", True)
    log = read(home, "SELECT actor, action FROM audit_log WHERE target = 'key old-shop' ORDER BY entry_id")
    assert log == [("cli", "create-key"), ("cli", "revoke-key")]


def test_what_makes_no_key_is_told_in_a_sentence(home: Home) -> None:
    home.succeed("keys", "create", "twice", "--scope", "readers")

    assert "is there, or was" in home.fail("keys", "create", "twice", "--scope", "readers")
    assert "1 to 80 letters" in home.fail("keys", "create", "two words", "--scope", "readers", code=2)
    assert "'flying'" in home.fail("keys", "create", "third", "--scope", "flying", code=2)
    assert "--scope" in home.fail("keys", "create", "fourth", code=2)
    assert "no key named 'nobody'" in home.fail("keys", "revoke", "nobody")


def test_the_demo_has_an_account_with_a_password_of_its_own(imported_home: Home) -> None:
    password = password_path(imported_home.path)

    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert read(imported_home, "SELECT email, role FROM accounts") == [(DEMO_EMAIL, "reader")]


def test_in_production_the_demo_has_no_account(empty_home: Home) -> None:
    empty_home.succeed(*DEMO, BOOKMESH_PRODUCTION="true")

    assert read(empty_home, "SELECT * FROM accounts") == []
    assert not password_path(empty_home.path).exists()


@pytest.mark.loopback
def test_whoever_reads_the_password_of_the_demo_logs_in(mesh: Mesh) -> None:
    password = password_path(mesh.home.path).read_text().strip()

    tokens = mesh.client.post("/v1/auth/login", json={"email": DEMO_EMAIL, "password": password}).json()

    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert mesh.client.get("/v1/me/recommendations", headers=headers).json()["mode"] == "collaborative"


@pytest.mark.loopback
def test_a_key_is_good_until_it_is_revoked_and_nowhere_to_be_read(mesh: Mesh) -> None:
    key = mesh.home.succeed("keys", "create", "till", "--scope", "readers").strip()
    assert ask(mesh, key) == 200

    mesh.home.succeed("keys", "revoke", "till")

    wait_until(lambda: ask(mesh, key) == 401, patience_s=5)
    assert httpx.get(mesh.url("gateway") + LIST).status_code == 401
    own = read_headers(mesh.home.path)["Authorization"].removeprefix("Bearer ")
    words = [word for pid in mesh.pids().values() for word in psutil.Process(pid).cmdline()]
    words += [value for pid in mesh.pids().values() for value in psutil.Process(pid).environ().values()]
    for secret in (key, own):
        holders = [name for name, text in read_files(mesh.home.path).items() if secret.encode() in text]
        assert holders == [] if secret == key else ["secrets/cli.key"]
        assert not any(secret in word for word in words)


@pytest.mark.loopback
@pytest.mark.parametrize("harm", ["missing", "damaged", "revoked"])
def test_a_command_makes_the_key_it_asks_with_unless_there_is_a_good_one(mesh: Mesh, harm: str) -> None:
    file = key_path(mesh.home.path)
    before = file.read_text()
    if harm == "missing":
        file.unlink()
    elif harm == "damaged":
        file.write_text("Authorization: \nX")
    else:
        [(name,)] = read(
            mesh.home, "SELECT name FROM api_keys WHERE name LIKE 'cli-%' ORDER BY key_id DESC LIMIT 1"
        )
        mesh.home.succeed("keys", "revoke", name)
        wait_until(lambda: mesh.client.get(LIST).status_code == 401, patience_s=5)

    mesh.home.succeed("recommend", "1")

    after = file.read_text()
    assert after != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    mesh.home.succeed("recommend", "1")
    assert file.read_text() == after
